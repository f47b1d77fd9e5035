import db from '@adonisjs/lucid/services/db'
import UsageDay from '#models/usage_day'
import WakeDay from '#models/wake_day'
import type { UsageSums } from '#usage/usage_meter'
import { daysOf, type Period } from '#usage/period'

/** Minimum number of people in a sum: fewer could reveal individuals. */
export const FEWEST_USERS = 3

/** One day of all users. A day with too few of them is withheld entirely, including their number. */
export type UsageOfDay =
  | ({ day: string; withheld: false; activeUsers: number } & UsageSums)
  | { day: string; withheld: true }

export interface UsageOfPeriod extends Period {
  days: UsageOfDay[]
  /** Sums only the days shown, so that comparing two periods does not reveal a withheld day. */
  totals: { activeUsers: number } & UsageSums
  withheldDays: number
}

/** Outcomes of one day's wakes. */
export interface WakesOfDay {
  day: string
  outcome: string
  count: number
  totalMs: number
}

/** Sums of what everyone's agents know: numbers and sizes, never contents. */
export type KnowledgeStock =
  | { withheld: false; rows: number; bytes: number; messages: number; messageBytes: number }
  | { withheld: true }

/** Tables of findings, memories and tasks. */
const KNOWLEDGE = ['findings', 'agent_memories', 'tasks']
const MESSAGES = ['archive_messages']

const SUMS = {
  chats: 'chats',
  wakes: 'wakes',
  awakeSeconds: 'awake_seconds',
  tokensIn: 'tokens_in',
  tokensOut: 'tokens_out',
} as const satisfies Record<keyof UsageSums, string>
const NAMES = Object.keys(SUMS) as (keyof UsageSums)[]

/** Usage reports for admins: sums over everyone. */
export class UsageReport {
  /** Shows a day on which only `reader` was active, because it is their own. */
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
    const sums = Object.fromEntries(
      NAMES.map((name) => [name, shown.reduce((sum, day) => sum + day[name], 0)])
    ) as unknown as UsageSums
    const totals = { activeUsers: await usersOf(shown), ...sums }
    return { ...period, days, totals, withheldDays: days.length - shown.length }
  }

  /** Withheld if too few people know anything, unless it is the reader alone. */
  async knowledge(reader: { id: string }): Promise<KnowledgeStock> {
    const owners: { user_id: string }[] = await db
      .from('data_keys')
      .select('user_id')
      .limit(FEWEST_USERS)
    const isOwn = owners.length === 1 && owners[0].user_id === reader.id
    if (owners.length > 0 && owners.length < FEWEST_USERS && !isOwn) return { withheld: true }
    const known = await stockOf(KNOWLEDGE)
    const said = await stockOf(MESSAGES)
    return { withheld: false, ...known, messages: said.rows, messageBytes: said.bytes }
  }

  /** Returns outcomes of wakes by day, for the whole fleet. */
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

async function stockOf(tables: string[]): Promise<{ rows: number; bytes: number }> {
  const stock = { rows: 0, bytes: 0 }
  for (const table of tables) {
    const sums = await db.from(table).count('* as held').sum('bytes as bytes').first()
    stock.rows += Number(sums.held)
    stock.bytes += Number(sums.bytes ?? 0)
  }
  return stock
}

/** Returns how many people were active on any of these days. */
async function usersOf(days: { day: string }[]): Promise<number> {
  const query = UsageDay.query().whereIn(
    'day',
    days.map(({ day }) => day)
  )
  const [{ $extras }] = await query.countDistinct('user_id as users')
  return Number($extras.users)
}

/** Prefixed, because the model would mistake plain column names for its own. */
const sumOf = (name: keyof UsageSums) => `sum_${SUMS[name]}`

function toDay(day: string, sums: Record<string, unknown> | undefined): UsageOfDay {
  const users = Number(sums?.users ?? 0)
  const isOwn = users === 1 && Number(sums?.own) === 1
  if (users > 0 && users < FEWEST_USERS && !isOwn) return { day, withheld: true }
  const values = Object.fromEntries(NAMES.map((name) => [name, Number(sums?.[sumOf(name)] ?? 0)]))
  return { day, withheld: false, activeUsers: users, ...(values as unknown as UsageSums) }
}
