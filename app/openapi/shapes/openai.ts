/** OpenAI's own shapes under `/v1`, as far as Mosaic has a say in them. */
import {
  count,
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

/**
 * What Mosaic reads of a request. Everything else goes on to the agent as it came: more fields are fine.
 */
const request = object({
  messages: list(record(), { minItems: 1 }),
  model: optional(nullable(text())),
  stream: optional(nullable(flag())),
  /** Names the conversation. */
  user: optional(nullable(text())),
})

/** A body that is read by the relay itself, with no validator in between. */
export const completionRequest = { toJSONSchema: () => request }

/** As the agent's gateway answers it. */
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
