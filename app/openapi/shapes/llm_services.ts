import { CONNECTION_FAILURES } from '#llm/contract'
import { AGENT_PROFILES, KNOWLEDGE_ACCESS, WAKE_POLICIES } from '#models/types'
import {
  count,
  either,
  flag,
  list,
  nullable,
  only,
  oneOf,
  optional,
  shape,
  text,
  time,
} from '#openapi/answer'

/** Sizes are in tokens. */
const model = shape({
  id: text(),
  name: text(),
  contextWindow: optional(count()),
  maxTokens: optional(count()),
})

/** The key is write-only. A null base URL means the service's own. */
export const provider = shape({
  id: text(),
  type: text(),
  name: text(),
  displayName: text(),
  apiType: text(),
  models: list(model),
  isActive: flag(),
  baseUrl: nullable(text()),
  apiKey: shape({ set: flag(), last4: nullable(text()), updatedAt: nullable(time()) }),
  createdAt: time(),
  updatedAt: time(),
})

/** A type of service, for the form. */
export const providerType = shape({
  type: text(),
  label: text(),
  description: text(),
  defaults: shape({ baseUrl: nullable(text()), apiType: text(), models: list(model) }),
  fields: list(
    shape({
      name: oneOf(['apiKey', 'baseUrl', 'apiType', 'models']),
      label: text(),
      required: flag(),
      help: optional(text()),
      placeholder: optional(text()),
      options: optional(list(shape({ value: text(), label: text() }))),
    })
  ),
})

const tested = { latencyMs: count(), models: list(model) }

/** A service that does not answer correctly is a result as well. */
export const connectionTest = either(
  shape({ ok: only(true), ...tested }),
  shape({ ok: only(false), ...tested, reason: oneOf(CONNECTION_FAILURES), message: text() })
)

export const agentConfig = shape({
  primaryModel: nullable(text()),
  fallbackModels: list(text()),
  personality: nullable(text()),
  providerId: nullable(text()),
  idleTimeoutMin: count(),
  wakePolicy: oneOf(WAKE_POLICIES),
  profile: oneOf(AGENT_PROFILES),
  knowledge: oneOf(KNOWLEDGE_ACCESS),
  wakeEarly: flag(),
  embeddingModel: nullable(text()),
})
