import ipaddr from 'ipaddr.js'

/** Returns whether an outgoing call may go to this address. */
export type AddressPolicy = (address: string) => boolean

type Range = ReturnType<typeof ipaddr.parseCIDR>

/** Address kinds (by ipaddr.js) that an allowed range can open. All others are always blocked. */
const OPENABLE = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat'])

/**
 * Metadata services, which give credentials to any caller inside a cloud: blocked, whatever an admin allows.
 * Those in 169.254.0.0/16, fe80::/10 and 192.0.0.0/24 are blocked with their whole range.
 */
const METADATA: Range[] = [
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fd00:42::42/128',
].map((range) => ipaddr.parseCIDR(range))

/** The only part of IPv6 with public hosts; the rest is special or unassigned. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')

/** Public IPv4 as reached from an IPv6-only network (RFC 6052). */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96')

/** `localhost` is both, so allowing one allows the machine itself. */
const LOOPBACK = ['127.0.0.1', '::1'].map((address) => ipaddr.parse(address))

/**
 * Allows public addresses, and addresses in `allowedRanges` (CIDR) that are loopback, private, unique local or
 * shared (CGNAT). Always blocks unspecified, link-local, multicast, broadcast, reserved and metadata addresses,
 * and IPv6 forms that wrap another address (mapped, 6to4, Teredo and the like): no public service needs them,
 * and they are a way around filters. NAT64 is the exception, because IPv6-only networks need it: it is allowed
 * if the IPv4 address inside is public.
 *
 * @throws Error for an invalid CIDR range
 */
export function addressPolicy(allowedRanges: string[]): AddressPolicy {
  const allowed = allowedRanges.map((range) => ipaddr.parseCIDR(range))
  const loopback = LOOPBACK.some((address) => within(address, allowed))

  return (text) => {
    if (!ipaddr.isValid(text)) return false
    const address = ipaddr.parse(text)
    if (within(address, METADATA)) return false
    if (isPublic(address)) return true

    const kind = address.range()
    if (!OPENABLE.has(kind)) return false
    return within(address, allowed) || (kind === 'loopback' && loopback)
  }
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (within(address, [NAT64])) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(12)))
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || within(address, [GLOBAL_UNICAST])
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: Range[]): boolean {
  return ranges.some((range) => range[0].kind() === address.kind() && address.match(range))
}
