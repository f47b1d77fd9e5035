import { errors } from '@vinejs/vine'

/** What is wrong with one field of what a person sent, in a sentence for them. */
export interface FieldError {
  field: string
  message: string
}

/** Refuses what was sent, in the shape of a failed validation, when there is anything wrong with it. */
export function refuseFields(wrong: FieldError[]): void {
  if (wrong.length === 0) return
  const messages = wrong.map((entry) => ({ ...entry, rule: 'usable' }))
  throw new errors.E_VALIDATION_ERROR(messages)
}
