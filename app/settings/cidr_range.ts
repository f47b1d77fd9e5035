import vine from '@vinejs/vine'
import ipaddr from 'ipaddr.js'

/** Vine rule: an address range as `10.0.0.0/8` or `fd00::/8`. */
export const cidrRange = vine.createRule((value, _options, field) => {
  if (typeof value !== 'string' || !ipaddr.isValidCIDR(value)) {
    field.report('The {{ field }} must be ranges such as 192.168.0.0/16', 'cidrRange', field)
  }
})
