import { firstOf } from '#llm_relay/media_type'

/** Upper limit in seconds, in case a provider names a date next year. */
const MOST_SEC = 86_400

/** Parses a `Retry-After` header, a number or a date, into seconds. Returns undefined if it is neither. */
export function retryAfter(
  header: string | string[] | undefined,
  now: () => number = Date.now
): number | undefined {
  const text = (firstOf(header) ?? '').trim()
  if (text === '') return undefined
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now()) / 1000
  return Number.isFinite(seconds) ? Math.min(MOST_SEC, Math.max(1, Math.ceil(seconds))) : undefined
}
