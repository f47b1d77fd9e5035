import type { Onboarding } from '#onboarding/onboarding'

export interface ListenAddress {
  host: string
  port: string | number
}

/** Addresses that mean "every interface": nobody can open them. */
const ANY_HOST = new Set(['0.0.0.0', '::', '[::]'])

/**
 * What the web process prints at its start while the setup is unfinished: the link that claims the
 * installation, or where to go on. Null once it is completed.
 */
export async function setupNotice(
  onboarding: Onboarding,
  { host, port }: ListenAddress
): Promise<string | null> {
  const { completed, step } = await onboarding.state()
  if (completed) return null

  const name = ANY_HOST.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const url = `http://${name}:${port}`
  if (step !== 'breakglass') return `Setup is unfinished. Sign in to go on: ${url}/onboarding\n`

  const token = await onboarding.setupToken.value()
  return `Setup link (it makes you the admin, so keep it to yourself):\n${url}/onboarding?token=${token}\n`
}
