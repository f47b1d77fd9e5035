import vine from '@vinejs/vine'
import { webAddress } from '#settings/web_address'
import { emptied } from '#validators/emptied'
import { newPassword, username } from '#validators/identity'
import { newProvider } from '#validators/provider'
import { skip, unskipped } from '#validators/skip'

export const claimValidator = vine.create({
  setupToken: vine.string().trim().maxLength(200),
  username: username(),
  password: newPassword(),
})

/** Either an issuer to sign in with, or `skip: true`. */
export const authStepValidator = vine.create({
  skip: skip(),
  issuerUrl: vine
    .string()
    .trim()
    .use(webAddress({}))
    .maxLength(2048)
    .optional()
    .requiredWhen(unskipped),
  clientId: vine.string().trim().maxLength(512).optional().requiredWhen(unskipped),
  clientSecret: vine.string().trim().maxLength(2048).optional().requiredWhen(unskipped),
})

/** An admin's changes to the checklist. */
export const checklistValidator = vine.create({
  hidden: vine.boolean({ strict: true }).optional().requiredWhen(emptied),
  backup: vine.boolean({ strict: true }).optional().requiredWhen(emptied),
})

/** A new provider, and the agent's first model. */
export const providerStepValidator = vine.create({
  ...newProvider(),
  primaryModel: vine.string().trim().minLength(1).maxLength(320),
})
