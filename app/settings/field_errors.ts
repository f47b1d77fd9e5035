import { errors } from '@vinejs/vine'

/** What is wrong with one input field, in a sentence for the person. */
export interface FieldError {
  field: string
  message: string
}

/** Throws a validation error if any field is wrong. */
export function refuseFields(wrong: FieldError[]): void {
  if (wrong.length === 0) return
  const messages = wrong.map((entry) => ({ ...entry, rule: 'usable' }))
  throw new errors.E_VALIDATION_ERROR(messages)
}
