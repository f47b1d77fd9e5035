import vine from '@vinejs/vine'
import { SIGN_UPS } from '#models/types'

/** A service as an admin sets it up. An omitted secret stays unchanged. */
export const signInServiceValidator = vine.create({
  clientId: vine.string().trim().minLength(1).maxLength(512),
  clientSecret: vine.string().trim().minLength(1).maxLength(2048).optional(),
  address: vine.string().trim().maxLength(2048).nullable().optional(),
  signUp: vine.enum(SIGN_UPS),
  isProof: vine.boolean({ strict: true }),
  isActive: vine.boolean({ strict: true }),
})
