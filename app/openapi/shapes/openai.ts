/** OpenAI's shapes under `/v1`: the fields that Mosaic sets or reads. */
import {
  anything,
  count,
  either,
  flag,
  list,
  nullable,
  object,
  only,
  oneOf,
  optional,
  record,
  shape,
  text,
} from '#openapi/answer'

/** The request fields that Mosaic reads. All others are passed to the agent unchanged. */
const request = object({
  messages: list(record(), { minItems: 1 }),
  model: optional(nullable(text())),
  stream: optional(nullable(flag())),
  /** Names the conversation. */
  user: optional(nullable(text())),
})

/** The relay reads this body itself, without a validator. */
export const completionRequest = { toJSONSchema: () => request }

/** The fields that Mosaic reads from a request of the Responses API. */
const response = object({
  input: either(text(), list(record(), { minItems: 1 })),
  model: optional(nullable(text())),
  stream: optional(nullable(flag())),
  user: optional(nullable(text())),
})

export const responseRequest = { toJSONSchema: () => response }

/** As sent by the agent's gateway or a provider. */
export const responseResource = object({
  id: text(),
  object: only('response'),
  status: text(),
  output: list(record()),
})

/** `model` is `<provider>/<model>`. */
const embedding = object({ input: anything(), model: text() })

export const embeddingRequest = { toJSONSchema: () => embedding }

/** As sent by the provider. */
export const embeddingList = object({ object: only('list'), data: list(record()) })

/** As the agent's gateway sends it. */
export const completion = object({
  id: text(),
  object: only('chat.completion'),
  choices: list(object({ index: count(), message: object({ role: oneOf(['assistant']) }) })),
})

export const listedModel = shape({
  id: text(),
  object: only('model'),
  created: count(),
  owned_by: text(),
})

export const modelList = shape({ object: only('list'), data: list(listedModel) })
