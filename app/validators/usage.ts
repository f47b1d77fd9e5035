import { DateTime } from 'luxon'
import vine from '@vinejs/vine'

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Vine rule: a valid calendar day such as 2026-11-25. */
const dayRule = vine.createRule((value, _options, field) => {
  const isDay = typeof value === 'string' && DAY.test(value) && DateTime.fromISO(value).isValid
  if (!isDay) field.report('The {{ field }} must be a day as 2026-11-25.', 'day', field)
})

const day = () => vine.string().use(dayRule()).optional()

/** A period of whole days, both ends included. */
export const periodValidator = vine.create({ from: day(), to: day() })
