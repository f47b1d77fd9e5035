/** Days as date fields give them, such as `2026-12-01`: those of the browser's time zone. */

/** Returns the first moment of a day in ISO 8601, or undefined for no day. */
export const startOfDay = (day: string): string | undefined => momentOf(day)

/** Returns the last second of a day in ISO 8601, or undefined for no day. */
export const endOfDay = (day: string): string | undefined => momentOf(day, 1, -1)

function momentOf(day: string, days = 0, seconds = 0): string | undefined {
  const moment = new Date(`${day}T00:00:00`)
  if (Number.isNaN(moment.getTime())) return undefined
  moment.setDate(moment.getDate() + days)
  moment.setSeconds(moment.getSeconds() + seconds)
  return moment.toISOString()
}

/** Returns the day of a moment in ISO 8601. */
export function dayOf(at: string): string {
  const moment = new Date(at)
  const two = (part: number) => String(part).padStart(2, '0')
  const year = String(moment.getFullYear()).padStart(4, '0')
  return `${year}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`
}
