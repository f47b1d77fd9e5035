import { DAY_MS, dayOf } from '#timing/day'
import { E_USAGE_PERIOD } from '#usage/errors'

/** A period of whole UTC days, both inclusive. Dates are written as `2026-11-25`. */
export interface Period {
  from: string
  to: string
}

/** Maximum length of a report: a leap year. */
const MOST_DAYS = 366
/** Default length of a period, in days. */
const USUAL_DAYS = 30

/**
 * Completes the requested period. It ends today by default, and covers thirty days.
 *
 * @throws E_USAGE_PERIOD
 */
export function periodOf(asked: Partial<Period>, now: number): Period {
  const to = asked.to ?? dayOf(now)
  const from = asked.from ?? dayOf(Date.parse(to) - (USUAL_DAYS - 1) * DAY_MS)
  const days = daysBetween({ from, to })
  if (days < 1 || days > MOST_DAYS) throw new E_USAGE_PERIOD()
  return { from, to }
}

/** Returns each day of a period. */
export function daysOf(period: Period): string[] {
  const first = Date.parse(period.from)
  return Array.from({ length: daysBetween(period) }, (_, index) => dayOf(first + index * DAY_MS))
}

function daysBetween({ from, to }: Period): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1
}
