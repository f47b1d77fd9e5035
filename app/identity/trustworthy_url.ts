import ipaddr from 'ipaddr.js'

/** Names for which no public certificate exists: a provider on the local network or machine. */
const OWN_NETWORK = /^[^.]+$|\.(localhost|local|internal|lan|home\.arpa|test)$/

/** Returns true for https, and for http on a local network. */
export function isTrustworthy(url: string): boolean {
  const parsed = URL.parse(url)
  if (parsed?.protocol === 'https:') return true
  if (parsed?.protocol !== 'http:') return false
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.parse(host).range() !== 'unicast'
  return OWN_NETWORK.test(host)
}
