import { ModelFailed } from '#chat/failures'
import type { ProviderFailure, ProviderFailureReason } from '#llm_relay/provider_failures'

/** HTTP status per kind of failure; OpenAI's clients decide by it whether to wait and retry. */
const STATUSES: Record<ProviderFailureReason, number> = {
  unauthorized: 401,
  billing: 402,
  rate_limited: 429,
  not_found: 404,
  bad_request: 400,
  context_length: 400,
  timeout: 504,
  unreachable: 502,
  blocked_address: 502,
  bad_response: 502,
  inactive: 404,
}

/**
 * Returns the error as `/v1` reports it. There a provider's failure has the status of its kind; the page
 * keeps 502, because 401 would mean that the user is signed out.
 */
export function ofItsKind(error: unknown): unknown {
  if (!(error instanceof ModelFailed)) return error
  const { retryAfterSec } = error.failure
  return Object.assign(error, { status: statusOf(error.failure), retryAfterSec })
}

/** A provider's own 5xx is passed on; any other status follows from the failure reason. */
function statusOf({ reason, status }: Omit<ProviderFailure, 'at'>): number {
  if (reason === 'bad_response' && status && status >= 500 && status <= 599) return status
  return STATUSES[reason]
}
