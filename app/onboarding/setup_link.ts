import type { Onboarding } from '#onboarding/onboarding'

export interface ListenAddress {
  host: string
  port: string | number
  /** The address for people if it differs, such as a container's published port. */
  publishedUrl?: string
}

/** Addresses that mean "every interface": a browser cannot open them. */
const ANY_HOST = /\/\/(0\.0\.0\.0|\[::\])(?=:)/

/**
 * Returns the notice that the web process prints at start while set-up is unfinished: the link that claims the
 * installation, or where to continue. Null once completed.
 */
export async function setupNotice(
  onboarding: Onboarding,
  { host, port, publishedUrl }: ListenAddress
): Promise<string | null> {
  const { completed, step } = await onboarding.state()
  if (completed) return null

  const own = `http://${/^[^[].*:/.test(host) ? `[${host}]` : host}:${port}`
  const url = (publishedUrl ?? own).replace(ANY_HOST, '//localhost').replace(/\/$/, '')
  if (step !== 'breakglass') return `Setup is unfinished. Sign in to go on: ${url}/onboarding\n`

  const token = await onboarding.setupToken.value()
  return `Setup link (it makes you the admin, so keep it to yourself):\n${url}/onboarding?token=${token}\n`
}
