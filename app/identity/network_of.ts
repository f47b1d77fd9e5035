import ipaddr from 'ipaddr.js'

/** What a provider gives one customer at the least, in bits. */
const CUSTOMER_BITS = 64

/**
 * Whom an address stands for where attempts are counted. One of IPv6 has as many as they like: all of
 * their network count as one. One of IPv4 stands for itself, in whichever way it is written.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${CUSTOMER_BITS}`)
  return `${network.toString()}/${CUSTOMER_BITS}`
}
