import type { Answer } from '#exceptions/api_errors'

/** An error for Anthropic's clients, which throw by status and type. */
export interface AnthropicError {
  type: 'error'
  error: { type: string; message: string }
}

/** Anthropic's type per status. */
const TYPES: Record<number, string> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** Converts a failure to Anthropic's shape, for everything under `/v1/messages`. */
export function toAnthropicError({ status, errors: [error] }: Answer): AnthropicError {
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  const message = error.hint ? `${error.message} ${error.hint}` : error.message
  return { type: 'error', error: { type, message } }
}
