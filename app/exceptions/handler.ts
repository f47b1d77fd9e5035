import app from '@adonisjs/core/services/app'
import { errors as vineErrors } from '@vinejs/vine'
import { Exception } from '@adonisjs/core/exceptions'
import { ExceptionHandler, type HttpContext } from '@adonisjs/core/http'
import type { StatusPageRange, StatusPageRenderer } from '@adonisjs/core/types/http'

/** One error of the API: see `docs/api.md`. */
export interface ApiError {
  code: string
  message: string
  field?: string
  hint?: string
}

const INTERNAL: ApiError = {
  code: 'E_INTERNAL',
  message: 'Something went wrong inside Mosaic.',
  hint: 'Try again. If it happens again, an admin finds the cause in the log.',
}

/** How errors of the framework read for a person. */
const WORDING: Record<string, Omit<ApiError, 'code'>> = {
  E_ROUTE_NOT_FOUND: { message: 'There is nothing at this address.' },
  E_ROW_NOT_FOUND: { message: 'There is nothing at this address.' },
  E_UNAUTHORIZED_ACCESS: { message: 'You are not signed in.', hint: 'Sign in and try again.' },
  E_BAD_CSRF_TOKEN: {
    message: 'This page has been open for too long.',
    hint: 'Reload it and try again.',
  },
  E_REQUEST_ENTITY_TOO_LARGE: { message: 'The request is too large.' },
  E_BODY_PARSE_FAILURE: { message: 'The request is not valid JSON.' },
}

/** The errors that an answer tells: never a stack, a query or the text of an unexpected failure. */
export function toApiErrors(error: unknown): { status: number; errors: ApiError[] } {
  if (error instanceof vineErrors.E_VALIDATION_ERROR) {
    const errors = error.messages.map((entry: { message: string; field: string }) => ({
      code: 'E_VALIDATION_ERROR',
      message: entry.message,
      field: entry.field,
    }))
    return { status: 422, errors }
  }
  if (error instanceof Exception && error.status < 500 && error.code) {
    const wording = WORDING[error.code] ?? { message: error.message, hint: error.help }
    return { status: error.status, errors: [{ code: error.code, ...wording }] }
  }
  if (error instanceof Exception && error.code && error.help) {
    const told = { code: error.code, message: error.message, hint: error.help }
    return { status: error.status, errors: [told] }
  }
  const status = (error as { status?: number })?.status
  if (status && status >= 400 && status < 500) {
    return { status, errors: [{ code: 'E_BAD_REQUEST', message: 'The request cannot be read.' }] }
  }
  return { status: 500, errors: [INTERNAL] }
}

export default class HttpExceptionHandler extends ExceptionHandler {
  protected override debug = !app.inProduction
  protected override renderStatusPages = true

  protected override statusPages: Record<StatusPageRange, StatusPageRenderer> = {
    '404': (_error, { inertia }) => inertia.render('errors/not_found', {}),
    '500..599': (_error, { inertia }) => inertia.render('errors/server_error', {}),
  }

  override async handle(error: unknown, ctx: HttpContext) {
    if (!speaksJson(ctx)) return super.handle(error, ctx)

    const { status, errors } = toApiErrors(error)
    ctx.response.status(status)
    if (ctx.request.url().startsWith('/v1/')) {
      const [{ code, message }] = errors
      const type = status === 401 ? 'authentication_error' : 'invalid_request_error'
      return ctx.response.send({ error: { message, type, code, param: null } })
    }
    return ctx.response.send({ errors })
  }
}

/** The API answers JSON whatever was asked for; pages answer pages, unless JSON is asked for. */
function speaksJson({ request }: HttpContext): boolean {
  if (/^\/(api|v1|health|metrics)(\/|$)/.test(request.url())) return true
  return !request.header('x-inertia') && request.accepts(['html', 'json']) === 'json'
}
