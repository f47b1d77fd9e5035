import { DateTime } from 'luxon'
import app from '@adonisjs/core/services/app'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import type { AgentStatus } from '#models/types'
import UsageDay from '#models/usage_day'
import WakeDay from '#models/wake_day'

const PEOPLE: [string, AgentStatus, string | null][] = [
  ['Ana Sousa', 'running', null],
  ['Ben Okafor', 'running', null],
  ['Chiara Conti', 'stopped', null],
  ['Dmitri Volkov', 'error', 'boot_timeout'],
  ['Emma Lindqvist', 'suspended', null],
]

/** A month of people who use their agents: what an admin's pages look like then. */
export async function busyFleet(): Promise<void> {
  const users = await Promise.all(
    PEOPLE.map(async ([name, status, statusReason], index) => {
      const email = `${name.split(' ')[0].toLowerCase()}@example.org`
      const user = await UserFactory.merge({ name, email }).create()
      const lastActiveAt = DateTime.utc().minus({ minutes: 7 * (index + 1) })
      await UserContainerFactory.merge({
        userId: user.id,
        status,
        statusReason,
        runtime: 'memory',
        lastActiveAt,
      }).create()
      return user
    })
  )
  /** A wake of the test before that ended only just may have made the row of today. */
  await WakeDay.query().delete()
  const today = DateTime.utc().startOf('day')
  for (let ago = 0; ago < 30; ago++) {
    const day = today.minus({ days: ago })
    /** A quiet day has too few people to be shown. */
    const active = day.weekday > 5 ? users.slice(0, 2) : users
    await UsageDay.createMany(
      active.map(({ id: userId }, index) => {
        const chats = 3 + ((ago * 7 + index * 5) % 11)
        return {
          userId,
          day,
          chats,
          wakes: 2,
          awakeSeconds: 1800 + 300 * chats,
          tokensIn: 9_000 * chats,
          tokensOut: 1_400 * chats,
        }
      })
    )
    const ready = active.length * 2
    await WakeDay.create({ day, outcome: 'ready', count: ready, totalMs: ready * 7_400 })
    if (ago % 6 === 1)
      await WakeDay.create({ day, outcome: 'boot_timeout', count: 1, totalMs: 180_000 })
  }
  const history = await app.container.make('agents.fleet_history')
  if (history.list().length === 0) await history.sample()
}
