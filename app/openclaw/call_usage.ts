import { numberIn, objectIn } from '#openclaw/gateway_fields'

/** Tokens of model calls, as the provider counted them. */
export interface CallUsage {
  inputTokens: number
  outputTokens: number
}

/**
 * Returns the tokens of a gateway's stored message, or null if the provider reported none. The gateway counts
 * cached input apart.
 */
export function usageOf(stored: unknown): CallUsage | null {
  const { input, output, cacheRead, cacheWrite } = objectIn(stored)
  const counts = [input, cacheRead, cacheWrite].map((count) => numberIn(count) ?? 0)
  const inputTokens = counts.reduce((sum, count) => sum + count)
  const outputTokens = numberIn(output) ?? 0
  return inputTokens + outputTokens > 0 ? { inputTokens, outputTokens } : null
}
