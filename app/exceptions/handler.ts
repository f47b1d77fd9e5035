import app from '@adonisjs/core/services/app'
import string from '@adonisjs/core/helpers/string'
import { InertiaManager } from '@adonisjs/inertia'
import { ExceptionHandler, type HttpContext } from '@adonisjs/core/http'
import type { HttpError, StatusPageRange, StatusPageRenderer } from '@adonisjs/core/types/http'
import type { Level } from '@adonisjs/core/types/logger'
import { answerBody } from '#exceptions/answer_body'
import { answersJson, isAnthropicPath, isOpenAiPath } from '#exceptions/answer_form'
import { toAnswer, type Answer } from '#exceptions/api_errors'
import { loggedError } from '#exceptions/logged_error'
import { isTold } from '#exceptions/told'

/**
 * Renders errors: in the API's shape, in OpenAI's or Anthropic's under `/v1`, as a page for people, or as messages beside the
 * fields of a submitted form. The cause goes to the log, never into the response.
 */
export default class HttpExceptionHandler extends ExceptionHandler {
  protected override debug = false
  protected override renderStatusPages = true

  protected override statusPages: Record<StatusPageRange, StatusPageRenderer> = {
    '400..499': (error, ctx) => renderPage(ctx, 'errors/not_found', answerOf(error)),
    '500..599': (error, ctx) => renderPage(ctx, 'errors/server_error', answerOf(error)),
  }

  override async handle(error: unknown, ctx: HttpContext) {
    const answer = toAnswer(error)
    if (answer.retryAfterSec) ctx.response.header('Retry-After', answer.retryAfterSec)
    if (answersJson(ctx)) return this.#answerJson(answer, ctx)
    if (answer.status < 500 && cameFromForm(ctx)) return backToForm(answer, ctx)
    const { status } = answer
    const failure: Told = { message: answer.errors[0].message, status, answer }
    return this.renderErrorAsHTML(failure, ctx)
  }

  /**
   * A failed query's message contains the row's values, so the log gets only the database's own message. Those of
   * gateways and providers may quote a chat.
   */
  override async report(error: unknown, ctx: HttpContext) {
    return super.report(loggedError(withoutQuery(error)), ctx)
  }

  /** Expected failures already tell the caller what to do; only defects need their stack in the log. */
  protected override getErrorLogLevel(error: HttpError): Level {
    return isTold(error) ? 'warn' : super.getErrorLogLevel(error)
  }

  #answerJson(answer: Answer, ctx: HttpContext) {
    return ctx.response.status(answer.status).send(bodyOf(answer, ctx))
  }
}

function bodyOf(answer: Answer, ctx: HttpContext) {
  const path = ctx.request.url()
  const isOpenAi = isOpenAiPath(path) && !isAnthropicPath(path)
  return answerBody(path, isOpenAi ? withBaseUrl(answer, ctx) : answer)
}

/** Adds the base URL as a hint: most wrong OpenAI paths come from an incomplete one. */
function withBaseUrl(answer: Answer, { request }: HttpContext): Answer {
  const [error] = answer.errors
  if (error.code !== 'E_ROUTE_NOT_FOUND') return answer
  const address = `${request.protocol()}://${request.host()}/v1`
  return { ...answer, errors: [{ ...error, hint: `The base URL of this API is ${address}.` }] }
}

/** An error with the answer that `handle` derived from it, for its page. */
type Told = HttpError & { answer: Answer }
const answerOf = (error: HttpError) => (error as Told).answer

function cameFromForm({ request, session }: HttpContext): boolean {
  return Boolean(request.header('x-inertia')) && request.method() !== 'GET' && Boolean(session)
}

/** `select … - <database message>`, as the query builder formats it. */
const FAILED_QUERY = /^\s*(?:select|insert|update|delete|with|create|alter|drop)\b[\s\S]* - /i

function withoutQuery(error: unknown): unknown {
  if (!(error instanceof Error) || !FAILED_QUERY.test(error.message)) return error
  const told = new Error(error.message.replace(FAILED_QUERY, 'A query failed: '))
  told.stack = [told.message, ...(error.stack ?? '').split('\n').filter(isFrame)].join('\n')
  return told
}

const isFrame = (line: string) => line.startsWith('    at ')

/** Puts each message at its field, or at `form` if it belongs to none. */
function backToForm(answer: Answer, ctx: HttpContext) {
  const bag: Record<string, string[]> = {}
  for (const { field = 'form', message, hint } of answer.errors) {
    bag[field] = [...(bag[field] ?? []), hint ? `${message} ${hint}` : message]
  }
  ctx.session.flash('inputErrorsBag', bag)
  return ctx.response.redirect().status(303).back()
}

async function renderPage(ctx: HttpContext, page: string, { status, errors: [error] }: Answer) {
  if (!ctx.inertia) {
    const manager = await app.container.make(InertiaManager)
    ctx.inertia = manager.createForRequest(ctx)
  }
  const { message, hint = null, code } = error
  try {
    return await ctx.inertia.render(page as never, { status, code, message, hint } as never)
  } catch (failure) {
    ctx.logger.error({ err: failure }, 'the error page cannot be rendered')
    return `<!doctype html><title>${status}</title><p>${string.escapeHTML(message)}</p>`
  }
}
