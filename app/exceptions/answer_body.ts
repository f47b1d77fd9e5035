import { toAnthropicError } from '#exceptions/anthropic_error'
import { isAnthropicPath, isOpenAiPath } from '#exceptions/answer_form'
import type { Answer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'

/** Returns the body of an error in the shape of its path: the API's, OpenAI's or Anthropic's. */
export function answerBody(path: string, answer: Answer) {
  if (isAnthropicPath(path)) return toAnthropicError(answer)
  return isOpenAiPath(path) ? toOpenAiError(answer) : { errors: answer.errors }
}
