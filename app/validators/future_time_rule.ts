import { DateTime } from 'luxon'
import vine from '@vinejs/vine'

/** Vine rule: an ISO 8601 time in the future. */
export const futureTimeRule = vine.createRule((value, _options, field) => {
  if (typeof value !== 'string') return
  const time = DateTime.fromISO(value, { zone: 'utc' })
  if (!time.isValid) {
    field.report('The {{ field }} must be a time as 2027-01-31T12:00:00Z.', 'futureTime', field)
  } else if (time.toMillis() <= Date.now()) {
    field.report('The {{ field }} must be in the future.', 'futureTime', field)
  }
})
