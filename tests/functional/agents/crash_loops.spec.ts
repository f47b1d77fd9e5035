import { test } from '@japa/runner'
import { CrashLog } from '#agents/instances/agent_logs'
import { eachHouse } from '#tests/doubles/agents_house'

const MINUTE_MS = 60_000

test.group('An agent that ends again and again', (group) => {
  const house = eachHouse(group)

  const crash = async (one: { agent: `user/${string}` | `system/${string}`; name: string }) => {
    house.clock.advance(MINUTE_MS)
    await house.memory.crash(one.name)
    await house.services.observer.recheck(one.agent)
  }
  const wake = (agent: `user/${string}` | `system/${string}`) =>
    house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)

  /** Starts and crashes the agent five times, after which it is no longer started. */
  const inLoop = async () => {
    const one = await house.newAgent()
    for (let crashes = 0; crashes < 5; crashes++) {
      house.clock.advance(5 * MINUTE_MS)
      await house.lifecycle.ensureRunning(one.agent)
      await crash(one)
    }
    return one
  }

  test('is woken at once after the first time, and later after the second', async ({ assert }) => {
    const one = await house.newAgent()
    await house.lifecycle.ensureRunning(one.agent)
    await crash(one)
    await house.lifecycle.ensureRunning(one.agent)
    await crash(one)
    const error = await wake(one.agent)
    assert.equal(error.reason, 'exited_early')
    assert.isAbove(error.retryAfterSec, 0)
  })

  test('is left alone after five times, and told so', async ({ assert }) => {
    const one = await inLoop()
    house.clock.advance(60 * MINUTE_MS)
    const error = await wake(one.agent)
    assert.equal(error.reason, 'exited_early')
    assert.isUndefined(error.retryAfterSec)
    assert.equal(house.memory.counts(one.name).starts, 5)
    assert.match((await house.lifecycle.describe(one.agent)).hint!, /only when you ask/)
  })

  test('starts for a person, and from then on as any other', async ({ assert }) => {
    const one = await inLoop()
    await house.lifecycle.startAndWait(one.agent)
    assert.equal((await house.row(one.userId)).crashCount, 0)
    await crash(one)
    assert.isString((await house.lifecycle.ensureRunning(one.agent)).url)
  })

  test('starts after its owner changed something', async ({ assert }) => {
    const one = await inLoop()
    await house.settingsRollout().changed(one.agent)
    assert.isString((await house.lifecycle.ensureRunning(one.agent)).url)
  })

  test('is in no loop when it ran well in between', async ({ assert }) => {
    const one = await house.newAgent()
    for (let crashes = 0; crashes < 7; crashes++) {
      await house.lifecycle.ensureRunning(one.agent)
      house.clock.advance(10 * MINUTE_MS)
      await crash(one)
    }
    assert.equal((await house.row(one.userId)).crashCount, 1)
  })

  test('leaves its last lines, for as long as it is in trouble', async ({ assert }) => {
    const crashLog = new CrashLog(house.context, house.services.rows)
    const one = await house.newAgent()
    await house.lifecycle.ensureRunning(one.agent)
    assert.isEmpty(await crashLog.of(one.agent))
    await crash(one)
    assert.match((await crashLog.of(one.agent)).join('\n'), /gateway listens/)
    await house.lifecycle.ensureRunning(one.agent)
    assert.isEmpty(await crashLog.of(one.agent))
  })
})
