import { lookup } from 'node:dns/promises'
import { addressPolicy } from '#llm/address_policy'
import { E_BLOCKED_ADDRESS } from '#llm/errors'
import type { SettingValue } from '#settings/definitions'
import type { Settings } from '#settings/settings'

/** All addresses of a host name. Rejects as `dns.lookup` does. */
type Resolve = (hostname: string) => Promise<{ address: string }[]>

/** The server that takes mail, as the settings name it. */
export interface MailServer {
  host: string
  port: number
  security: SettingValue<'mail.security'>
  credentials: { user: string; pass: string } | null
  /** Who mail comes from. */
  from: string
}

/** Null while mail is not set up. The password is opened here. */
export async function mailServer(settings: Settings): Promise<MailServer | null> {
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
 * The address to connect to. The name is resolved once; one of its addresses that may not be called
 * refuses them all, and the connection goes to the very one that was checked.
 *
 * @throws E_BLOCKED_ADDRESS, and what the resolver throws
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
