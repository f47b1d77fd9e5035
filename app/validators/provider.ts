import vine from '@vinejs/vine'
import { emptied } from '#validators/emptied'

/** Prefix of every model reference, so it contains no slash: `work-openai/gpt-5.4`. */
const name = () =>
  vine
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)

/** Valid in a header: visible ASCII without spaces. */
const apiKey = () =>
  vine
    .string()
    .trim()
    .maxLength(8192)
    .regex(/^[\x21-\x7e]*$/)

/** More models than any service lists, and more tokens than any model's context. */
const MOST_MODELS = 1000
const MOST_TOKENS = 1_000_000_000

const tokens = () => vine.number().withoutDecimals().min(1).max(MOST_TOKENS)

const models = () =>
  vine
    .array(
      vine.object({
        id: vine.string().trim().minLength(1).maxLength(256).regex(/^\S+$/),
        name: vine.string().trim().maxLength(256).optional(),
        contextWindow: tokens().nullable().optional(),
        maxTokens: tokens().nullable().optional(),
      })
    )
    .maxLength(MOST_MODELS)
    .distinct('id')

const values = () => ({
  baseUrl: vine.string().trim().maxLength(2048).nullable().optional(),
  apiKey: apiKey().nullable().optional(),
  apiType: vine.string().trim().maxLength(64).nullable().optional(),
  models: models().nullable().optional(),
})

const type = () => vine.string().trim().maxLength(32)
const displayName = () => vine.string().trim().maxLength(100)

export const newProvider = () => ({
  type: type(),
  name: name(),
  displayName: displayName().optional(),
  isActive: vine.boolean().optional(),
  ...values(),
})

export const providerValidator = vine.create(newProvider())

/** Changes of a provider. */
export const providerChangesValidator = vine.create({
  type: type().optional().requiredWhen(emptied),
  name: name().optional().requiredWhen(emptied),
  displayName: displayName().optional().requiredWhen(emptied),
  isActive: vine.boolean().optional().requiredWhen(emptied),
  ...values(),
})

/** A connection to test before it is stored: needs no name yet. */
export const connectionValidator = vine.create({ type: type(), ...values() })

/** A stored connection to test, with unsaved changes. */
export const connectionChangesValidator = vine.create({ type: type().optional(), ...values() })

/** `?clear=true` also removes the provider from the owner's own agent. */
export const deleteProviderValidator = vine.create({ clear: vine.boolean().optional() })
