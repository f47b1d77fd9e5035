import vine from '@vinejs/vine'
import { faultOfAddress } from '#llm/web_address'

/**
 * Vine rule: an http or https URL without credentials, with its own sentence per fault. With `bare`, only a
 * server: no path, no query.
 */
export const webAddress = vine.createRule((value, { bare = false }: { bare?: boolean }, field) => {
  if (typeof value !== 'string') return
  const fault = faultOfAddress(value) ?? faultBehind(value, bare)
  if (fault) field.report(fault, 'webAddress', field)
})

function faultBehind(address: string, bare: boolean): string | null {
  const { username, password } = new URL(address)
  if (username || password) return 'An address must not carry a user name or a password.'
  const hasMore = bare && /^[^/]+\/\/[^/?#]*[/?#]/.test(address)
  return hasMore ? 'Enter the address without a path: it ends after the server and its port.' : null
}
