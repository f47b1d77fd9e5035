import { test } from '@japa/runner'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const WRITE_MS = 15_000

test.group('Activity', (group) => {
  const house = eachHouse(group)

  const awake = async () => {
    const one = await house.newAgent()
    await house.lifecycle.ensureRunning(one.agent)
    house.clock.advance(60_000)
    return one
  }

  /** Age of the row's last activity, in seconds. */
  const age = async (userId: string) =>
    Math.round((house.clock.now() - (await house.row(userId)).lastActiveAt!.toMillis()) / 1000)

  const ring = async (ms: number) => {
    house.clock.advance(ms)
    await house.activity.flush()
  }

  test('counts requests in flight, each end once', ({ assert }) => {
    const { activity } = house
    const ends = [activity.begin('user/a'), activity.begin('user/a')]
    assert.equal(activity.inFlight('user/a'), 2)
    ends[0]()
    ends[0]()
    assert.equal(activity.inFlight('user/a'), 1)
    ends[1]()
    assert.equal(activity.inFlight('user/a'), 0)
    assert.equal(activity.inFlight('user/b'), 0)
  })

  test('the first act is written at once, for reapers elsewhere', async ({ assert }) => {
    const { agent, userId } = await awake()
    assert.equal(await age(userId), 60)
    house.activity.touch(agent)
    house.clock.advance(0)
    await until(async () => (await age(userId)) === 0)
  })

  test('a busy chat costs one write in fifteen seconds', async ({ assert }) => {
    const { agent, userId } = await awake()
    const queries = await house.queries(async () => {
      for (let second = 0; second < 60; second++) {
        house.activity.begin(agent)()
        house.clock.advance(1000)
        /** One query per second: writes started before it have finished after it. */
        await house.row(userId)
      }
    })
    assert.isAtMost(queries - 60, 5)
    assert.isAtLeast(queries - 60, 4)
  })

  test('many agents at once cost one statement', async ({ assert }) => {
    const many = await Promise.all(Array.from({ length: 5 }, () => house.newAgent()))
    for (const { agent } of many) await house.lifecycle.ensureRunning(agent)
    const queries = await house.queries(async () => {
      for (const { agent } of many) house.activity.touch(agent)
      await house.activity.flush()
    })
    assert.equal(queries, 1)
  })

  test('what is in flight goes on being active', async ({ assert }) => {
    const { agent, userId } = await awake()
    const end = house.activity.begin(agent)
    await ring(0)
    await ring(WRITE_MS)
    await ring(WRITE_MS)
    assert.equal(await age(userId), 0)

    end()
    await ring(0)
    await ring(WRITE_MS)
    assert.equal(await age(userId), 15)
  })

  test('what was not written yet is written when Mosaic ends', async ({ assert }) => {
    const { agent, userId } = await awake()
    house.activity.touch(agent)
    await house.activity.flush()
    house.clock.advance(5000)
    house.activity.touch(agent)
    await house.activity.close()
    assert.equal(await age(userId), 0)
  })

  test('waiting for idleness ends with the last request, or with its signal', async ({
    assert,
  }) => {
    const { activity } = house
    const end = activity.begin('user/a')
    const leaving = new AbortController()
    const left = activity.whenIdle('user/a', leaving.signal)
    const stays = activity.whenIdle('user/a', new AbortController().signal)
    leaving.abort(new Error('gone'))
    await assert.rejects(() => left, 'gone')
    end()
    await stays
    await activity.whenIdle('user/a', new AbortController().signal)
  })
})
