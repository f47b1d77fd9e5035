import vine from '@vinejs/vine'
import { AGENT_PROFILES, KNOWLEDGE_ACCESS, WAKE_POLICIES } from '#models/types'

/** `<provider name>/<model id>`, or a model ID of the default provider. */
const model = () => vine.string().trim().minLength(1).maxLength(320)

/** Each fallback costs a failed call before the next, so more than a few do not help. */
const MOST_FALLBACKS = 10

/** Part of every prompt, so limited to about 5,000 tokens. */
const LONGEST_PERSONALITY = 20_000

/** A week. An agent that should never sleep is a system agent. */
const MOST_IDLE_MINUTES = 10_080

/** A user's choices for their agent. Omitted values stay; null restores the default. */
export const agentConfigValidator = vine.create({
  primaryModel: model().nullable().optional(),
  fallbackModels: vine.array(model()).maxLength(MOST_FALLBACKS).nullable().optional(),
  personality: vine.string().maxLength(LONGEST_PERSONALITY).nullable().optional(),
  providerId: vine.string().maxLength(64).nullable().optional(),
  idleTimeoutMin: vine
    .number()
    .withoutDecimals()
    .min(1)
    .max(MOST_IDLE_MINUTES)
    .nullable()
    .optional(),
  wakePolicy: vine.enum(WAKE_POLICIES).nullable().optional(),
  profile: vine.enum(AGENT_PROFILES).nullable().optional(),
  embeddingModel: model().nullable().optional(),
  knowledge: vine.enum(KNOWLEDGE_ACCESS).nullable().optional(),
  wakeEarly: vine.boolean({ strict: true }).nullable().optional(),
})
