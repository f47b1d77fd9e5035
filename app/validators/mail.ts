import vine from '@vinejs/vine'
import { wellFormedRule } from '#validators/well_formed_rule'

/** Recipient of the test mail. */
export const mailTrialValidator = vine.create({
  to: vine.string().trim().toLowerCase().use(wellFormedRule()).email().maxLength(255),
})
