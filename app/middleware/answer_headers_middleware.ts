import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { ANSWER_HEADERS } from '#http/answer_headers'

/** Sets the headers of every response. */
export default class AnswerHeadersMiddleware {
  handle({ response }: HttpContext, next: NextFn) {
    for (const [name, value] of Object.entries(ANSWER_HEADERS)) response.header(name, value)
    return next()
  }
}
