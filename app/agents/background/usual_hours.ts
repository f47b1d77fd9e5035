import type UserContainer from '#models/user_container'
import { DAY_MS, dayOf } from '#timing/day'

const HOUR_MS = 3_600_000

/** Days of the same kind that are compared. Five are a working week, or two weekends and a half. */
const COMPARED_DAYS = 5
/** How many of them must have had use in an hour for it to be usual. */
const USUAL_DAYS = 3
/** Two weekends and a half span so many days. */
const KEPT_DAYS = 21

const FRIDAY = 5

/** How long before a usual hour a resting agent resumes. */
export const AHEAD_MS = 5 * 60_000
/** Upper bound for clock skew between machines that share a database. */
const CLOCKS_DIFFER_MS = 60_000

/** The hours (0 to 23) of each day of use, by date: `{ "2026-11-27": [8, 9] }`. All in UTC. */
export type DaysOfUse = Record<string, number[]>

/** As a user's row. */
type Expected = Pick<UserContainer, 'expectedAt'>

/** Returns the start of the hour that contains this time. Times in milliseconds of the epoch. */
export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

/**
 * Returns the usual hour for which the agent last resumed, in milliseconds of the epoch, or 0. A time further ahead
 * than any resume stems from a clock that was set back since, and would keep the agent from resting until then.
 */
export function expectedAtOf({ expectedAt }: Expected, now: number): number {
  const at = expectedAt?.toMillis() ?? 0
  return at > now + AHEAD_MS + CLOCKS_DIFFER_MS ? 0 : at
}

/** Returns the days with this use and without those too old to matter; null if it is noted already. */
export function withUse(days: DaysOfUse, at: number): DaysOfUse | null {
  const date = dayOf(at)
  const hour = new Date(at).getUTCHours()
  const hours = days[date] ?? []
  if (hours.includes(hour)) return null
  const oldest = dayOf(at - KEPT_DAYS * DAY_MS)
  const kept = Object.entries(days).filter(([day]) => day >= oldest)
  return { ...Object.fromEntries(kept), [date]: [...hours, hour] }
}

/**
 * Returns whether use is usual in the hour that begins then: it had use on most of the last days of its kind,
 * which is working day or weekend.
 */
export function isUsual(days: DaysOfUse, hourStart: number): boolean {
  const hour = new Date(hourStart).getUTCHours()
  let compared = 0
  let used = 0
  for (let at = hourStart - DAY_MS; compared < COMPARED_DAYS; at -= DAY_MS) {
    if (isWeekend(at) !== isWeekend(hourStart)) continue
    compared++
    if (days[dayOf(at)]?.includes(hour)) used++
  }
  return used >= USUAL_DAYS
}

function isWeekend(at: number): boolean {
  const day = new Date(at).getUTCDay()
  return day === 0 || day > FRIDAY
}
