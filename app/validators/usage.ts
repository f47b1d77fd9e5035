import { DateTime } from 'luxon'
import vine from '@vinejs/vine'

const DAY_OR_TIME = /^\d{4}-\d{2}-\d{2}(T.*)?$/
const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Returns the UTC day of a day such as 2026-11-25 or of an ISO 8601 time, or null for anything else. */
function utcDay(value: string): string | null {
  const day = DAY_OR_TIME.test(value) && DateTime.fromISO(value, { zone: 'utc' }).toISODate()
  return day && DAY.test(day) ? day : null
}

/** Vine rule: a value that names a UTC day. */
const dayRule = vine.createRule((value, _options, field) => {
  if (typeof value === 'string' && utcDay(value)) return
  field.report('The {{ field }} must be a day as 2026-11-25, or a time.', 'day', field)
})

const day = () =>
  vine
    .string()
    .use(dayRule())
    .transform((value) => utcDay(value)!)
    .optional()

/** A period of whole UTC days, both ends included. */
export const periodValidator = vine.create({ from: day(), to: day() })
