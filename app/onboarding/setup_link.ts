import type { Onboarding } from '#onboarding/onboarding'

export interface ListenAddress {
  host: string
  port: string | number
  /** Where people reach it instead, as at a published port of a container. */
  publishedUrl?: string
}

/** Addresses that mean "every interface": nobody can open them. */
const ANY_HOST = /\/\/(0\.0\.0\.0|\[::\])(?=:)/

/**
 * What the web process prints at its start while the setup is unfinished: the link that claims the
 * installation, or where to go on. Null once it is completed.
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
