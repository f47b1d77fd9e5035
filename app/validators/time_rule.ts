import { DateTime } from 'luxon'
import vine from '@vinejs/vine'

/** Vine rule: an ISO 8601 time. */
const timeRule = vine.createRule((value, _options, field) => {
  if (typeof value !== 'string' || DateTime.fromISO(value, { zone: 'utc' }).isValid) return
  field.report('The {{ field }} must be a time as 2027-01-31T12:00:00Z.', 'time', field)
})

/** A time, or null for none. */
export const time = () =>
  vine
    .string()
    .use(timeRule())
    /** Asked for null as well. */
    .transform((value: string | null) =>
      value === null ? null : DateTime.fromISO(value, { zone: 'utc' })
    )
    .nullable()
