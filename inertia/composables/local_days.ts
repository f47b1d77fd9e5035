/** Days as date fields give them, such as `2026-12-01`: those of the browser's time zone. */
const DAY = /^\d{4}-\d\d-\d\d$/

/**
 * Returns the first moment of a day in ISO 8601, or undefined for no day. What is no day, such as one of a year with
 * five digits, is returned as it is: the API refuses it at its field.
 */
export const startOfDay = (day: string): string | undefined => momentOf(day, 0, 0)

/** Returns the last second of a day, the one before the next day begins; else as `startOfDay`. */
export const endOfDay = (day: string): string | undefined => momentOf(day, 1, -1)

function momentOf(text: string, days: number, seconds: number): string | undefined {
  if (!DAY.test(text)) return text || undefined
  const [year, month, day] = text.split('-').map(Number)
  const moment = new Date(2000, 0, 1)
  /** Where the clock jumps at midnight, this is the first moment after it. */
  moment.setFullYear(year, month - 1, day + days)
  return new Date(moment.getTime() + seconds * 1000).toISOString()
}

/** Returns the day of a moment in ISO 8601. */
export function dayOf(at: string): string {
  const moment = new Date(at)
  const two = (part: number) => String(part).padStart(2, '0')
  const year = String(moment.getFullYear()).padStart(4, '0')
  return `${year}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`
}
