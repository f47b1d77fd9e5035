import vine from '@vinejs/vine'
import { PASSWORD_MAX_BYTES, PASSWORD_MIN_LENGTH } from '#identity/passwords'

/** Vine rule: a password that is long enough and not longer than its hash covers. */
export const passwordRule = vine.createRule((value, _options, field) => {
  if (typeof value !== 'string') return
  if ([...value].length < PASSWORD_MIN_LENGTH) {
    const message = `The password must have at least ${PASSWORD_MIN_LENGTH} characters.`
    field.report(message, 'passwordTooShort', field)
  } else if (Buffer.byteLength(value) > PASSWORD_MAX_BYTES) {
    const message = `The password is too long: ${PASSWORD_MAX_BYTES} bytes are the most (some characters count as several).`
    field.report(message, 'passwordTooLong', field)
  }
})
