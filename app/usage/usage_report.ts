import UsageDay from '#models/usage_day'
import WakeDay from '#models/wake_day'
import type { UsageSums } from '#usage/usage_meter'
import { daysOf, type Period } from '#usage/period'

/** Sums over fewer people than this would tell of single ones. */
export const FEWEST_USERS = 3

/** One day of all users. A day of too few of them is withheld: it says nothing, not even how many. */
export type UsageOfDay =
  | ({ day: string; withheld: false; activeUsers: number } & UsageSums)
  | { day: string; withheld: true }

export interface UsageOfPeriod extends Period {
  days: UsageOfDay[]
  /** Of the days that are shown, so that no difference of two periods tells what a day withholds. */
  totals: UsageSums
  withheldDays: number
}

/** How wakes of one day ended. */
export interface WakesOfDay {
  day: string
  outcome: string
  count: number
  totalMs: number
}

const SUMS = {
  chats: 'chats',
  wakes: 'wakes',
  awakeSeconds: 'awake_seconds',
  tokensIn: 'tokens_in',
  tokensOut: 'tokens_out',
} as const satisfies Record<keyof UsageSums, string>
const NAMES = Object.keys(SUMS) as (keyof UsageSums)[]

/** What was used, for admins: sums over everyone. */
export class UsageReport {
  /** A day on which nobody but `reader` was active is their own, and shown to them. */
  async usage(period: Period, reader: { id: string }): Promise<UsageOfPeriod> {
    const query = UsageDay.query()
      .select('day')
      .whereBetween('day', [period.from, period.to])
      .groupBy('day')
      .count('* as users')
      .select(
        UsageDay.query().client.raw('max(case when user_id = ? then 1 else 0 end) as own', [
          reader.id,
        ])
      )
    for (const name of NAMES) query.sum(`${SUMS[name]} as ${sumOf(name)}`)
    const byDay = new Map((await query).map((row) => [row.day.toISODate(), row.$extras]))

    const days = daysOf(period).map((day) => toDay(day, byDay.get(day)))
    const shown = days.filter((day) => !day.withheld)
    const totals = Object.fromEntries(
      NAMES.map((name) => [name, shown.reduce((sum, day) => sum + day[name], 0)])
    ) as unknown as UsageSums
    return { ...period, days, totals, withheldDays: days.length - shown.length }
  }

  /** Outcomes of wakes by day, for the whole fleet. */
  async wakes(period: Period): Promise<WakesOfDay[]> {
    const rows = await WakeDay.query()
      .whereBetween('day', [period.from, period.to])
      .orderBy('day')
      .orderBy('outcome')
    return rows.map(({ day, outcome, count, totalMs }) => {
      return { day: day.toISODate()!, outcome, count, totalMs: Number(totalMs) }
    })
  }
}

/** Apart from the names of columns, which the model would take it for. */
const sumOf = (name: keyof UsageSums) => `sum_${SUMS[name]}`

function toDay(day: string, sums: Record<string, unknown> | undefined): UsageOfDay {
  const users = Number(sums?.users ?? 0)
  const isOwn = users === 1 && Number(sums?.own) === 1
  if (users > 0 && users < FEWEST_USERS && !isOwn) return { day, withheld: true }
  const values = Object.fromEntries(NAMES.map((name) => [name, Number(sums?.[sumOf(name)] ?? 0)]))
  return { day, withheld: false, activeUsers: users, ...(values as unknown as UsageSums) }
}
