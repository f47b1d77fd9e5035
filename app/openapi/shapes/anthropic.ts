/** Anthropic's shapes under `/v1/messages`: the fields that Mosaic reads, or that its clients require. */
import { count, flag, list, nullable, object, only, optional, record, text } from '#openapi/answer'

/** `model` is `<provider>/<model>`. All other fields are passed to the provider unchanged. */
const request = object({
  model: text(),
  messages: list(record(), { minItems: 1 }),
  stream: optional(nullable(flag())),
})

/** The relay reads this body itself, without a validator. */
export const messageRequest = { toJSONSchema: () => request }

/** As sent by the provider. */
export const message = object({
  id: text(),
  type: only('message'),
  role: only('assistant'),
  content: list(record()),
})

/** As sent by the provider. */
export const tokenCount = object({ input_tokens: count() })
