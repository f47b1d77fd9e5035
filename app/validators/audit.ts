import { DateTime } from 'luxon'
import vine from '@vinejs/vine'
import { pageFields } from '#validators/page_fields'

/** A day such as 2027-01-31, or an ISO 8601 time. */
const time = () =>
  vine
    .string()
    .trim()
    .maxLength(40)
    .transform((value, field) => {
      const parsed = DateTime.fromISO(value, { zone: 'utc' })
      if (!parsed.isValid) {
        field.report('The {{ field }} must be a time as 2027-01-31T12:00:00Z.', 'time', field)
      }
      return parsed
    })

const filter = () => ({
  actor: vine.string().trim().maxLength(255).optional(),
  action: vine
    .string()
    .trim()
    .regex(/^[a-z_]+(\.[a-z_]+)?$/)
    .maxLength(64)
    .optional(),
  subject: vine.string().trim().maxLength(255).optional(),
  from: time().optional(),
  to: time().optional(),
})

/** Filter of the audit record. */
export const auditFilterValidator = vine.create(filter())

export const auditQueryValidator = vine.create({
  ...pageFields(),
  ...filter(),
})
