import { lookup } from 'node:dns/promises'
import { addressPolicy } from '#llm/address_policy'
import { E_BLOCKED_ADDRESS } from '#llm/errors'
import type { SettingValue } from '#settings/definitions'
import type { Settings } from '#settings/settings'

/** Resolves all addresses of a host name. Rejects like `dns.lookup`. */
type Resolve = (hostname: string) => Promise<{ address: string }[]>

/** The mail server from the settings. */
export interface MailServer {
  host: string
  port: number
  security: SettingValue<'mail.security'>
  credentials: { user: string; pass: string } | null
  /** The sender. */
  from: string
}

/** Returns null while mail is not set up. Opens the password. */
export async function mailServer(all: Settings): Promise<MailServer | null> {
  const settings = await all.snapshot()
  const host = await settings.get('mail.host')
  const from = await settings.get('mail.from')
  if (!host || !from) return null
  const user = await settings.get('mail.username')
  const pass = (await settings.get('mail.password')) ?? ''
  return {
    host,
    from,
    port: await settings.get('mail.port'),
    security: await settings.get('mail.security'),
    credentials: user ? { user, pass } : null,
  }
}

const resolveWithSystem: Resolve = (hostname) => lookup(hostname, { all: true })

/**
 * Returns the address to connect to. Resolves the name once and refuses it if any of its addresses is not
 * allowed; the connection uses the very address that was checked.
 *
 * @throws E_BLOCKED_ADDRESS, errors of the resolver
 */
export async function checkedAddress(
  host: string,
  allowedRanges: string[],
  resolve: Resolve = resolveWithSystem
): Promise<string> {
  const allows = addressPolicy(allowedRanges)
  const found = await resolve(host)
  if (found.length === 0 || !found.every(({ address }) => allows(address))) {
    throw new E_BLOCKED_ADDRESS()
  }
  return found[0].address
}
