export const DAY_MS = 86_400_000

/** The day last asked for: formatting a date costs more than a chat's other counts together. */
let latest = { number: Number.NaN, name: '' }

/** Returns the UTC day of a time in milliseconds of the epoch: `2026-11-25`. */
export function dayOf(ms: number): string {
  const number = Math.floor(ms / DAY_MS)
  if (number !== latest.number) {
    latest = { number, name: new Date(ms).toISOString().slice(0, 10) }
  }
  return latest.name
}
