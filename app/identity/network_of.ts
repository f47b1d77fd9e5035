import ipaddr from 'ipaddr.js'

/** Prefix length of the smallest network that a provider assigns to a customer. */
const CUSTOMER_BITS = 64

/**
 * Returns the source that attempts from an address count against. An IPv6 customer has any number of addresses,
 * so the whole network counts as one. An IPv4 address stands for itself, in any notation.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${CUSTOMER_BITS}`)
  return `${network.toString()}/${CUSTOMER_BITS}`
}
