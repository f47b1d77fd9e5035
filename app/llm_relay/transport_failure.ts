import type { ProviderFailureReason } from '#llm_relay/provider_failures'

const TIMEOUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** Returns why a provider did not respond at all, from the connection error. */
export function transportFailure(error: unknown): ProviderFailureReason {
  for (let cause = error, depth = 0; cause && depth < 5; depth++) {
    const { code, cause: deeper } = cause as { code?: string; cause?: unknown }
    if (code === 'E_BLOCKED_ADDRESS') return 'blocked_address'
    if (code && TIMEOUTS.has(code)) return 'timeout'
    cause = deeper
  }
  return 'unreachable'
}
