import vine from '@vinejs/vine'
import { wellFormedRule } from '#validators/well_formed_rule'

/** Who gets the mail that tries the settings out. */
export const mailTrialValidator = vine.create({
  to: vine.string().trim().toLowerCase().use(wellFormedRule()).email().maxLength(255),
})
