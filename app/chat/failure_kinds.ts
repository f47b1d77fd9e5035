import { ModelFailed } from '#chat/failures'
import type { ProviderFailure, ProviderFailureReason } from '#llm_relay/provider_failures'

/** The status by which OpenAI's clients know each kind of failure: they wait and try again by it. */
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
 * An error as `/v1` tells it. There a provider's failure has the status of its kind; for the page it stays 502,
 * because 401 means there that nobody is signed in.
 */
export function ofItsKind(error: unknown): unknown {
  if (!(error instanceof ModelFailed)) return error
  const { retryAfterSec } = error.failure
  return Object.assign(error, { status: statusOf(error.failure), retryAfterSec })
}

/** A provider's own 5xx is passed on; any other status of it is read by its reason. */
function statusOf({ reason, status }: Omit<ProviderFailure, 'at'>): number {
  if (reason === 'bad_response' && status && status >= 500 && status <= 599) return status
  return STATUSES[reason]
}
