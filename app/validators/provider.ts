import vine from '@vinejs/vine'

/** Begins every model reference, so it holds no slash: `work-openai/gpt-5.4`. */
const name = () =>
  vine
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)

/** What fits into a header: visible ASCII without spaces. */
const apiKey = () =>
  vine
    .string()
    .trim()
    .maxLength(8192)
    .regex(/^[\x21-\x7e]*$/)

/** More models than anyone offers in one list, more tokens than anyone reads at once. */
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

/** The fields of a new provider. */
export const newProvider = () => ({
  type: type(),
  name: name(),
  displayName: displayName().optional(),
  isActive: vine.boolean().optional(),
  ...values(),
})

/** A new provider. */
export const providerValidator = vine.create(newProvider())

/** What may change of a provider. */
export const providerChangesValidator = vine.create({
  type: type().optional(),
  name: name().optional(),
  displayName: displayName().optional(),
  isActive: vine.boolean().optional(),
  ...values(),
})

/** A connection to test before it is stored: what names the provider is not needed yet. */
export const connectionValidator = vine.create({ type: type(), ...values() })

/** A stored connection to test, with changes that are not stored yet. */
export const connectionChangesValidator = vine.create({ type: type().optional(), ...values() })

/** Deleting a provider that one's own agent uses takes it out of there with `?clear=true`. */
export const deleteProviderValidator = vine.create({ clear: vine.boolean().optional() })
