/**
 * Reads single fields of a gateway's messages. An agent can send anything in place of any field, so a value
 * of another type counts as absent.
 */

/** Times beyond this year do not fit every database. */
const LATEST_MS = Date.UTC(9999, 0)

/** @param maxLength longer texts count as absent: cutting one would keep all of it in memory */
export function textIn(value: unknown, maxLength = Infinity): string | undefined {
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}

/** A time in milliseconds since the epoch. */
export function timeIn(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value < LATEST_MS ? value : undefined
}

export function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

export function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
