import { errors as vineErrors } from '@vinejs/vine'
import { Exception } from '@adonisjs/core/exceptions'
import { E_DATABASE_AWAY, isDatabaseAway } from '#exceptions/database_away'
import { E_DISK_FULL, isDiskFull } from '#exceptions/disk_full'
import { isTold } from '#exceptions/told'
import { isUnstorable } from '#exceptions/unstorable'

/** An error of the API: see `docs/api.md`. */
export interface ApiError {
  code: string
  message: string
  field?: string
  hint?: string
  /** One of a closed list, for codes with several causes. */
  reason?: string
  /** The existing entry, if the code is E_SIMILAR. */
  similar?: object
}

/** A failure as the API reports it. `retryAfterSec` is set only for 429 and 503. */
export interface Answer {
  status: number
  errors: [ApiError, ...ApiError[]]
  retryAfterSec?: number
}

const INTERNAL: ApiError = {
  code: 'E_INTERNAL',
  message: 'Something went wrong inside Mosaic.',
  hint: 'Try again. If it happens again, an admin finds the cause in the log.',
}

const UNREADABLE: ApiError = {
  code: 'E_BAD_REQUEST',
  message: 'The request cannot be read.',
  hint: 'Send valid JSON with "Content-Type: application/json".',
}

const UNSTORABLE: ApiError = {
  code: 'E_BAD_REQUEST',
  message: 'The request holds a character or a number that cannot be kept.',
  hint: 'Leave out NUL characters and broken halves of characters.',
}

/** Messages for errors of the framework. */
const WORDING: Record<string, Omit<ApiError, 'code'>> = {
  E_ROUTE_NOT_FOUND: { message: 'There is nothing at this address.' },
  E_ROW_NOT_FOUND: { message: 'There is nothing at this address.' },
  E_UNAUTHORIZED_ACCESS: { message: 'You are not signed in.', hint: 'Sign in and try again.' },
  E_BAD_CSRF_TOKEN: {
    message: 'This page has been open for too long.',
    hint: 'Reload it and try again. Scripts send an access token, or the XSRF-TOKEN cookie as X-XSRF-TOKEN.',
  },
  E_REQUEST_ENTITY_TOO_LARGE: {
    message: 'The request is too large.',
    hint: 'Send less at once: at most 1 MB, or 15 MB for a message with files.',
  },
  E_TOO_MANY_REQUESTS: {
    message: 'That was tried too often.',
    hint: 'Wait a moment, then try again.',
  },
}

/** Default wait in seconds, if the error has none. */
const RETRY_AFTER_SEC: Record<number, number> = { 429: 30, 503: 5 }
/** Default wait for a model whose service named none. A short guess, because clients obey it. */
const MODEL_RETRY_AFTER_SEC = 5

/** Returns the errors for a response: never a stack, a query or the text of an unexpected failure. */
export function toAnswer(failure: unknown): Answer {
  const error = (!isTold(failure) && ofTheMachine(failure)) || failure
  const answer = withoutTimes(error)
  if (!(answer.status in RETRY_AFTER_SEC)) return answer
  const isOfModel = answer.errors[0].code.startsWith('E_MODEL_')
  const usualSec = isOfModel ? MODEL_RETRY_AFTER_SEC : RETRY_AFTER_SEC[answer.status]
  return { ...answer, retryAfterSec: retryAfter(error) ?? usualSec }
}

/** Returns the error for a failure of Mosaic's own infrastructure, or null. */
function ofTheMachine(failure: unknown): Exception | null {
  if (isDiskFull(failure)) return new E_DISK_FULL()
  return isDatabaseAway(failure) ? new E_DATABASE_AWAY() : null
}

function withoutTimes(error: unknown): Answer {
  if (error instanceof vineErrors.E_VALIDATION_ERROR) {
    const [first = UNREADABLE, ...others] = error.messages.map(
      (entry: { message: string; field: string }): ApiError => ({
        code: 'E_VALIDATION_ERROR',
        message: entry.message,
        field: entry.field,
      })
    )
    return { status: 422, errors: [first, ...others] }
  }

  const isFramework = error instanceof Exception && error.status < 500
  if ((isTold(error) || isFramework) && error.code) {
    const { code, message, help: hint } = error
    const { field, reason, similar } = error as Partial<ApiError>
    const wording = WORDING[code] ?? { message, hint }
    const place = {
      ...(field && { field }),
      ...(reason && { reason }),
      ...(similar && { similar }),
    }
    return { status: error.status ?? 500, errors: [{ code, ...wording, ...place }] }
  }

  if (isUnstorable(error)) return { status: 400, errors: [UNSTORABLE] }

  const status = (error as { status?: number } | null)?.status
  if (status && status >= 400 && status < 500) {
    return { status: status === 422 ? 400 : status, errors: [UNREADABLE] }
  }
  return { status: 500, errors: [INTERNAL] }
}

/** The limiter's errors carry their times in `response`, Mosaic's own in `retryAfterSec`. */
function retryAfter(error: unknown): number | undefined {
  const timed = error as { retryAfterSec?: number; response?: { availableIn?: number } }
  const seconds = timed.retryAfterSec ?? timed.response?.availableIn
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds))
}
