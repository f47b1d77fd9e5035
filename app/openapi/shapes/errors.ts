import { finding } from '#openapi/shapes/knowledge'
import { list, nullable, only, optional, shape, text } from '#openapi/answer'

export const errorEntry = shape({
  code: text(),
  message: text(),
  field: optional(text()),
  hint: optional(text()),
  reason: optional(text()),
  similar: optional(finding),
})

/** An error under `/api/v1`. */
export const apiError = shape({ errors: list(errorEntry, { minItems: 1 }) })

/** An error under `/v1`, in OpenAI's shape. */
export const openAiError = shape({
  error: shape({ message: text(), type: text(), param: nullable(text()), code: text() }),
})

/** An error under `/v1/messages`, in Anthropic's shape. */
export const anthropicError = shape({
  type: only('error'),
  error: shape({ type: text(), message: text() }),
})
