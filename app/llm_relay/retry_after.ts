/** A provider that names a day of next year is not believed: seconds. */
const MOST_SEC = 86_400

/** The seconds of a `Retry-After` header, which may be a number or a date. Undefined where it says neither. */
export function retryAfter(
  header: string | string[] | undefined,
  now: () => number = Date.now
): number | undefined {
  const text = String(header ?? '').trim()
  if (text === '') return undefined
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now()) / 1000
  return Number.isFinite(seconds) ? Math.min(MOST_SEC, Math.max(1, Math.ceil(seconds))) : undefined
}
