import vine from '@vinejs/vine'
import ipaddr from 'ipaddr.js'

/** Vine rule: an address range as `10.0.0.0/8` or `fd00::/8`. */
export const cidrRange = vine.createRule((value, _options, field) => {
  if (typeof value !== 'string' || !ipaddr.isValidCIDR(value)) {
    field.report('The {{ field }} must be ranges such as 192.168.0.0/16', 'cidrRange', field)
  }
})

/** Vine rule: a range of IPv4 addresses, with a prefix of at most `longest` bits. */
export const ipv4Range = vine.createRule((value, { longest }: { longest: number }, field) => {
  const isRange = typeof value === 'string' && ipaddr.IPv4.isValidCIDR(value)
  if (!isRange || ipaddr.IPv4.parseCIDR(value)[1] > longest) {
    const message = `The {{ field }} must be IPv4 ranges such as 10.213.0.0/16, of at most /${longest}`
    field.report(message, 'ipv4Range', field)
  }
})
