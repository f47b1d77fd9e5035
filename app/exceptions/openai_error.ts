import type { Answer } from '#exceptions/api_errors'

/** An error for OpenAI's clients: the official ones throw by status, type and code. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string }
}

/** OpenAI's type and code per status; without a `code`, Mosaic's own is more specific. */
const SHAPES: Record<number, { type: string; code?: string }> = {
  400: { type: 'invalid_request_error' },
  401: { type: 'authentication_error', code: 'invalid_api_key' },
  402: { type: 'insufficient_quota' },
  403: { type: 'permission_error' },
  404: { type: 'not_found_error' },
  429: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
}

/** OpenAI's codes for provider failures; others keep Mosaic's own code. */
const MODEL_CODES: Record<string, string> = {
  E_MODEL_NOT_FOUND: 'model_not_found',
  E_MODEL_INACTIVE: 'model_not_found',
  E_MODEL_RATE_LIMITED: 'rate_limit_exceeded',
  E_MODEL_CONTEXT_LENGTH: 'context_length_exceeded',
}

/** Converts a failure to OpenAI's shape, for everything under `/v1`. */
export function toOpenAiError({ status, errors: [error] }: Answer): OpenAiError {
  const shape = SHAPES[status] ?? {
    type: status >= 500 ? 'server_error' : 'invalid_request_error',
  }
  const message = error.hint ? `${error.message} ${error.hint}` : error.message
  return {
    error: {
      message,
      type: shape.type,
      param: error.field ?? null,
      code: codeOf(error.code, shape.code),
    },
  }
}

/** Provider failures keep their code, because a provider's 401 says nothing about the caller's own key. */
function codeOf(code: string, ofStatus: string | undefined): string {
  if (code.startsWith('E_MODEL_')) return MODEL_CODES[code] ?? code
  return ofStatus ?? code
}
