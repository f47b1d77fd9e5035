import { list, nullable, optional, shape, text } from '#openapi/answer'

export const errorEntry = shape({
  code: text(),
  message: text(),
  field: optional(text()),
  hint: optional(text()),
  reason: optional(text()),
})

/** What goes wrong under `/api/v1`. */
export const apiError = shape({ errors: list(errorEntry, { minItems: 1 }) })

/** What goes wrong under `/v1`, as OpenAI's clients read it. */
export const openAiError = shape({
  error: shape({ message: text(), type: text(), param: nullable(text()), code: text() }),
})
