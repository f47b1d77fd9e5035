import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import { EarlyWakes } from '#agents/background/early_wakes'
import type { AgentKey } from '#agents/types'
import { BackgroundWakes } from '#agents/waking/background_wakes'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import { E_VAULT_UNREACHABLE } from '#vaults/errors'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000

const GB = 1024 ** 3

test.group('Waking ahead of usual hours', (group) => {
  const house = eachHouse(group)
  let early: EarlyWakes

  group.each.setup(() => {
    house.world.machine = { total: 24 * GB, available: 16 * GB, swapTotal: 0, swapFree: 0 }
    early = new EarlyWakes(house.context, house.services.backgroundWakes, house.rester)
    return () => house.rester.close()
  })

  /** Moves the clock to a time of the next Monday, or of a day after it. */
  const moveTo = (day: number, hour: number, minute = 0) => {
    const now = DateTime.fromMillis(house.clock.now(), { zone: 'utc' })
    const monday = firstMonday ?? now.plus({ weeks: 1 }).startOf('week')
    firstMonday = monday
    house.clock.advance(monday.plus({ days: day, hours: hour, minutes: minute }).toMillis() - +now)
  }
  let firstMonday: DateTime | null
  group.each.setup(() => void (firstMonday = null))

  const statusOf = async (userId: string) => (await house.row(userId)).status
  /** Runs the background jobs of each minute. */
  const sweep = async () => ({
    ...(await house.rester.rest()),
    ...(await house.reaper.reapIdle({ keepResting: true })),
    ...(await early.sweep()),
  })
  /** Used at eight from Monday to Wednesday, and resting since. */
  const usedAtEight = async () => {
    const one = await house.newAgent()
    for (const day of [0, 1, 2]) {
      moveTo(day, 8, 20)
      await house.lifecycle.ensureRunning(one.agent)
      house.activity.touch(one.agent)
      await house.activity.flush()
      await early.sweep()
      house.clock.advance(5 * MINUTE_MS)
      await house.rester.rest()
    }
    return one
  }

  test('resumes a resting agent shortly before, which rests again when nobody comes', async ({
    assert,
  }) => {
    const { userId, name } = await usedAtEight()
    const { lastActiveAt } = await house.row(userId)
    moveTo(3, 7, 54)
    assert.include(await sweep(), { woken: 0 })
    moveTo(3, 7, 55)
    assert.include(await sweep(), { woken: 1 })
    assert.equal(await statusOf(userId), 'running')
    moveTo(3, 8, 4)
    assert.include(await sweep(), { woken: 0, rested: 0, stopped: 0 })
    moveTo(3, 8, 5)
    assert.include(await sweep(), { woken: 0, rested: 1, stopped: 0 })

    assert.include(house.memory.counts(name), { starts: 1, stops: 0 })
    const row = await house.row(userId)
    assert.deepEqual(row.lastActiveAt, lastActiveAt)
    /** Nobody came, so nothing was learnt: the day after is the last. */
    moveTo(4, 7, 56)
    assert.include(await sweep(), { woken: 1 })
    moveTo(4, 8, 30)
    await sweep()
    moveTo(8, 7, 56)
    assert.include(await sweep(), { woken: 0 })
  })

  test('leaves agents alone that are stopped, used at other hours, or without room', async ({
    assert,
  }) => {
    const { agent, userId } = await usedAtEight()
    moveTo(3, 8, 55)
    assert.include(await sweep(), { woken: 0 })

    house.settings['agents.restCount'] = 1
    await house.rester.rest()
    moveTo(4, 7, 56)
    assert.include(await sweep(), { woken: 0 })

    house.settings['agents.restCount'] = null
    await house.lifecycle.stop(agent)
    assert.include(await sweep(), { woken: 0 })
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('learns nothing of owners who turned it off, and keeps what it learnt sealed', async ({
    assert,
  }) => {
    const { userId } = await usedAtEight()
    const row = await house.row(userId)
    assert.match(row.daysOfUse!, /^enc:/)
    assert.equal(Object.keys(JSON.parse((await row.open('daysOfUse'))!)).length, 3)

    await UserAgentConfig.create({ userId, fallbackModels: [], wakeEarly: false })
    await UserContainer.query().where('user_id', userId).update({ days_of_use: null })
    moveTo(3, 8, 20)
    await house.lifecycle.ensureRunning(`user/${userId}`)
    assert.include(await early.sweep(), { noted: 0 })
    assert.isNull((await house.row(userId)).daysOfUse)
  })

  test('learns hours again that a lost key hides', async ({ assert }) => {
    const { userId } = await usedAtEight()
    await UserContainer.query().where('user_id', userId).update({ days_of_use: 'enc:v1:lost:AAAA' })
    moveTo(3, 8, 20)
    await house.lifecycle.ensureRunning(`user/${userId}`)
    assert.include(await early.sweep(), { noted: 1 })
  })

  test('keeps the hours of an agent whose vault does not answer, and goes on with others', async ({
    assert,
    cleanup,
  }) => {
    const [one, other] = [await usedAtEight(), await usedAtEight()]
    const known = (await house.row(one.userId)).daysOfUse
    moveTo(5, 9, 20)
    for (const { agent } of [one, other]) await house.lifecycle.ensureRunning(agent)
    const { open } = UserContainer.prototype
    cleanup(() => void (UserContainer.prototype.open = open))
    UserContainer.prototype.open = async function (this: UserContainer, property) {
      if (this.userId === one.userId) throw new E_VAULT_UNREACHABLE()
      return open.call(this, property)
    }
    assert.include(await early.sweep(), { noted: 1 })
    assert.equal((await house.row(one.userId)).daysOfUse, known)
    assert.equal(house.logged.at(-1)!.message, 'Could not handle the usual hours of an agent')
  })

  test('leaves an agent behind that resumes without end', async ({ assert }) => {
    const { agent } = await usedAtEight()
    const asked: AgentKey[] = []
    const wakes = new BackgroundWakes(house.context, {
      ensureRunning(one) {
        asked.push(one)
        return new Promise(() => {})
      },
    })
    early = new EarlyWakes(house.context, wakes, house.rester)
    moveTo(3, 7, 56)
    const swept = early.sweep()
    await until(() => asked.length > 0)
    house.clock.advance(10_000)
    assert.include(await swept, { woken: 0, failed: 0, late: 1 })
    assert.deepEqual(asked, [agent])
  })

  test('outlives a wake that fails', async ({ assert }) => {
    const { userId } = await usedAtEight()
    house.driver.chaos.resume = { bad: 'engine_unreachable' }
    moveTo(3, 7, 56)
    assert.include(await early.sweep(), { woken: 0, failed: 1 })
    assert.include(await early.sweep(), { woken: 0, failed: 0 })
    assert.notEqual(await statusOf(userId), 'running')
  })
})
