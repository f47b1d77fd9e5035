import { test } from '@japa/runner'
import { AgentUnavailable } from '#agents/state/errors'
import { REASONS } from '#agents/state/failure_reasons'
import type { AgentKey, WakeStage } from '#agents/types'
import { FAILURE_REASONS, type FailureReason } from '#runtimes/errors'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

test.group('An agent that does not start', (group) => {
  const house = eachHouse(group)

  const failure = async (call: Promise<unknown>): Promise<AgentUnavailable> => {
    const error = await call.then(
      () => null,
      (thrown) => thrown
    )
    if (!(error instanceof AgentUnavailable)) throw new Error(`Not the failure meant: ${error}`)
    return error
  }

  const alive = (name: string) => house.memory.counts(name).alive

  const byRuntime: FailureReason[] = [
    'image_missing',
    'pull_timeout',
    'engine_unreachable',
    'no_capacity',
    'out_of_memory',
    'config_rejected',
    'exited_early',
    'internal',
  ]
  test('a runtime that says why is believed: {$self}')
    .with(byRuntime)
    .run(async ({ assert }, reason) => {
      const { agent, userId } = await house.newAgent()
      house.driver.chaos.ensure = { bad: reason }
      const error = await failure(house.lifecycle.ensureRunning(agent))

      assert.include(error, {
        reason,
        status: 503,
        code: `E_AGENT_${reason.toUpperCase()}`,
        message: REASONS[reason].message,
        help: REASONS[reason].help,
      })
      const row = await house.row(userId)
      assert.include(row.$attributes, { status: 'error', statusReason: reason, failureCount: 1 })
      assert.equal((await house.lifecycle.describe(agent)).hint, REASONS[reason].help)
    })

  test('the error class of a plugin is believed as well as Mosaic’s own', async ({ assert }) => {
    class PluginError extends Error {
      code = 'E_FIRECRACKER'
      reason = 'no_capacity'
    }
    const { agent, userId } = await house.newAgent()
    house.driver.ensure = () => Promise.reject(new PluginError('All machines are taken.'))
    assert.equal((await failure(house.lifecycle.ensureRunning(agent))).reason, 'no_capacity')
    assert.equal((await house.row(userId)).statusReason, 'no_capacity')
  })

  test('a stop that a plugin’s class says why it failed is told with that reason', async ({
    assert,
  }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const foreign = { code: 'E_FIRECRACKER', reason: 'engine_unreachable' }
    house.driver.stop = () => Promise.reject(Object.assign(new Error('Away'), foreign))
    await assert.rejects(() => house.lifecycle.stop(agent))
    assert.equal((await house.row(userId)).statusReason, 'engine_unreachable')
  })

  test('a reason that is none of the list is an internal failure', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const foreign = { code: 'E_FIRECRACKER', reason: 'full_moon' }
    house.driver.ensure = () => Promise.reject(Object.assign(new Error('Odd'), foreign))
    assert.equal((await failure(house.lifecycle.ensureRunning(agent))).reason, 'internal')
  })

  test('someone else’s program on its port answers in vain: it never gets the token', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    house.memory.behave(name, { bootMs: 0 })
    const inspect = house.driver.inspect.bind(house.driver)
    house.driver.inspect = async (ref) => {
      const observed = await inspect(ref)
      return observed && { ...observed, endpoint: null }
    }
    assert.equal((await failure(house.lifecycle.ensureRunning(agent))).reason, 'exited_early')
    assert.isNull(house.lifecycle.peek(agent))
    assert.equal((await house.row(userId)).endpoint, null)
    assert.equal(alive(name), 0)
  })

  test('a runtime that fails with something unforeseen is an internal failure', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    house.context.runtimes.use = async () => {
      throw new Error('a defect with details')
    }
    const error = await failure(house.lifecycle.ensureRunning(agent))
    assert.equal(error.code, 'E_AGENT_INTERNAL')
    assert.notInclude(error.message, 'defect')
  })

  test('without a provider nothing is started, and a new provider helps at once', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    house.document = null
    const error = await failure(house.lifecycle.ensureRunning(agent))
    assert.equal(error.code, 'E_AGENT_NO_PROVIDER')
    assert.isUndefined(error.retryAfterSec)
    assert.isUndefined(house.driver.calls.ensure)
    assert.isNull((await house.row(userId)).retryAt)

    house.document = 'document-1'
    await house.lifecycle.ensureRunning(agent)
    assert.equal(alive(name), 1)
  })

  test('an instance whose exit names a reason without a wait waits all the same', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const inspect = house.driver.inspect.bind(house.driver)
    const said = { reason: 'no_provider', message: 'Its owner has none.' } as const
    house.driver.inspect = async (ref) => {
      const observed = await inspect(ref)
      return observed && { ...observed, failure: said }
    }
    const onProgress = ({ stage }: { stage: WakeStage }) => {
      if (stage === 'booting') void house.memory.crash(name, 65)
    }
    const error = await failure(house.lifecycle.ensureRunning(agent, { onProgress }))
    assert.equal(error.reason, 'no_provider')
    assert.isNumber(error.retryAfterSec)
    assert.include((await house.row(userId)).$attributes, { status: 'error', failureCount: 1 })
    assert.isNotNull((await house.row(userId)).retryAt)
  })

  test('a runtime that names a reason without a wait only passes on an exit: {$self}')
    .with(['no_provider', 'cancelled'] as const)
    .run(async ({ assert }, reason) => {
      const { agent, userId } = await house.newAgent()
      house.driver.chaos.ensure = { bad: reason }
      assert.isNumber((await failure(house.lifecycle.ensureRunning(agent))).retryAfterSec)
      const row = await house.row(userId)
      assert.include(row.$attributes, { status: 'error', statusReason: reason, failureCount: 1 })
    })

  test('a runtime that does not keep agents apart is tried again at once', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'not_isolated' }
    assert.isUndefined((await failure(house.lifecycle.ensureRunning(agent))).retryAfterSec)
    assert.include((await house.row(userId)).$attributes, { status: 'error', failureCount: 0 })
  })

  test('a gateway that never gets ready is given up and ended', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const began = house.clock.now()
    const error = await failure(house.lifecycle.ensureRunning(agent))

    assert.equal(error.reason, 'boot_timeout')
    assert.approximately(house.clock.now() - began, 5000, 500)
    assert.equal(alive(name), 0)
  })

  test('an instance that ends while it boots is noticed long before the deadline', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const began = house.clock.now()
    const onProgress = ({ stage }: { stage: WakeStage }) => {
      if (stage === 'booting') void house.memory.crash(name, 1)
    }
    const error = await failure(house.lifecycle.ensureRunning(agent, { onProgress }))
    assert.equal(error.reason, 'exited_early')
    assert.isBelow(house.clock.now() - began, 2000)
  })

  test('an instance that ends with status 78 has refused its document', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const onProgress = ({ stage }: { stage: WakeStage }) => {
      if (stage === 'booting') void house.memory.crash(name, 78)
    }
    const error = await failure(house.lifecycle.ensureRunning(agent, { onProgress }))
    assert.equal(error.reason, 'config_rejected')
  })

  test('a runtime that never answers is given up at its deadline', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.driver.chaos.ensure = { never: true }
    const call = failure(house.lifecycle.ensureRunning(agent))
    await until(() => house.driver.calls.ensure === 1)
    house.clock.advance(house.context.timeouts.ensureMs)

    assert.equal((await call).reason, 'engine_unreachable')
    assert.equal(alive(name), 0)
  })

  test('where there are images, a start that takes too long was the fetching', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    house.settings['runtime.image'] = 'mosaic/agent:1'
    house.driver.chaos.ensure = { never: true }
    const outcome = async () => {
      const before = house.driver.calls.ensure ?? 0
      const call = failure(house.lifecycle.ensureRunning(agent, { reason: 'person' }))
      await until(() => house.driver.calls.ensure === before + 1)
      house.clock.advance(house.context.timeouts.ensureMs)
      return (await call).reason
    }
    /** A driver without images ignores the setting. */
    assert.equal(await outcome(), 'engine_unreachable')
    house.settings['runtime.image'] = null
    Object.assign(house.driver, { prepare: async () => {} })
    assert.equal(await outcome(), 'pull_timeout')
  })

  test('an instance whose answer was lost is ended', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.driver.chaos.ensure = { lost: true, bad: 'engine_unreachable' }
    await failure(house.lifecycle.ensureRunning(agent))
    assert.equal(house.memory.counts(name).starts, 1)
    assert.equal(alive(name), 0)
  })

  test('an instance that appears after it was given up is ended then', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    const late = Promise.withResolvers<void>()
    const deaf = house.driver.ensure.bind(house.driver)
    house.driver.ensure = async (spec) => {
      await late.promise
      return deaf(spec, { signal: new AbortController().signal })
    }
    const call = failure(house.lifecycle.ensureRunning(agent))
    await until(() => house.services.sharedWakes.gate.starting === 1 && house.clock.timers > 0)
    house.clock.advance(house.context.timeouts.ensureMs)
    await until(() => house.clock.timers > 0)
    house.clock.advance(10_000)
    assert.equal((await call).reason, 'engine_unreachable')

    late.resolve()
    await until(() => house.memory.counts(name).stops === 1)
    assert.equal(alive(name), 0)
  })

  test('each failure doubles the wait until it is tried again by itself', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    const waits: number[] = []
    for (let round = 0; round < 9; round++) {
      waits.push((await failure(house.lifecycle.ensureRunning(agent))).retryAfterSec!)
      house.clock.advance(waits.at(-1)! * 1000)
    }
    /** Half of each wait is random, here at its midpoint: three quarters of 5, 10, 20 … 300 seconds. */
    assert.deepEqual(waits, [4, 8, 15, 30, 60, 120, 225, 225, 225])
    assert.equal((await house.row(userId)).failureCount, 9)

    house.driver.chaos.ensure = {}
    await house.lifecycle.ensureRunning(agent)
    const row = await house.row(userId)
    assert.equal(row.failureCount, 0)
    assert.isNull(row.retryAt)
    assert.isNull(row.statusReason)
  })

  test('meanwhile callers are told the reason and the time, and nothing is started', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    await failure(house.lifecycle.ensureRunning(agent))
    house.clock.advance(1000)
    const error = await failure(house.lifecycle.ensureRunning(agent))
    assert.equal(error.reason, 'no_capacity')
    /** SQLite stores whole seconds. */
    assert.oneOf(error.retryAfterSec, [2, 3])
    assert.equal(house.driver.calls.ensure, 1)
  })

  test('"Try again" tries again at once', async ({ assert }) => {
    const { agent } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    await failure(house.lifecycle.ensureRunning(agent))
    house.driver.chaos.ensure = {}
    assert.isString((await house.lifecycle.startAndWait(agent)).url)
  })

  test('cancelled in line, nothing was started', async ({ assert }) => {
    house.settings['agents.startConcurrency'] = 1
    const first = await house.newAgent()
    const second = await house.newAgent()
    house.memory.behave(first.name, { bootMs: Infinity })
    const blocked = failure(house.lifecycle.ensureRunning(first.agent))
    await until(() => house.services.sharedWakes.gate.starting === 1)

    await assertCancelled(assert, second, 'queued')
    assert.equal(house.memory.counts(second.name).starts, 0)
    await house.lifecycle.cancel(first.agent)
    await blocked
  })

  test('cancelled while the runtime works, nothing is left', async ({ assert }) => {
    const one = await house.newAgent()
    house.driver.chaos.ensure = { never: true }
    await assertCancelled(assert, one, 'provisioning')
  })

  test('cancelled while it boots, nothing is left', async ({ assert }) => {
    const one = await house.newAgent()
    house.memory.behave(one.name, { bootMs: Infinity })
    await assertCancelled(assert, one, 'booting')
    assert.equal(house.memory.counts(one.name).starts, 1)
  })

  test('cancelled while it waits for a stop to end, nothing is started', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { uncontrolled: true })
    await house.lifecycle.ensureRunning(agent)
    const end = house.activity.begin(agent)
    const stop = house.lifecycle.stop(agent)
    await until(() => house.clock.timers > 0)
    const call = failure(house.lifecycle.ensureRunning(agent))
    await house.lifecycle.cancel(agent)
    assert.equal((await call).reason, 'cancelled')
    end()
    await stop
    assert.equal(house.memory.counts(name).starts, 1)
    assert.equal(alive(name), 0)
  })

  test('cancelling an agent that does not wake does nothing', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.cancel(agent)
    await house.lifecycle.ensureRunning(agent)
    await house.lifecycle.cancel(agent)
    assert.equal(alive(name), 1)
  })

  test('every reason has a sentence and a next step', ({ assert }) => {
    for (const reason of FAILURE_REASONS) {
      assert.match(REASONS[reason].message, /^[A-Z].+\.$/)
      assert.match(REASONS[reason].help, /^[A-Z].+\.$/)
    }
  })

  async function assertCancelled(
    assert: { equal: Function; include: Function; isUndefined: Function },
    { agent, name, userId }: { agent: AgentKey; name: string; userId: string },
    at: WakeStage
  ) {
    let reached = false
    const onProgress = ({ stage }: { stage: WakeStage }) => void (reached ||= stage === at)
    const calls = [1, 2].map(() => failure(house.lifecycle.ensureRunning(agent, { onProgress })))
    await until(() => reached)
    await house.lifecycle.cancel(agent)

    for (const call of calls) assert.equal((await call).reason, 'cancelled')
    assert.equal(alive(name), 0)
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'stopped', desired: 'stopped', failureCount: 0 })
    assert.isUndefined((await calls[0]).retryAfterSec)
  }
})
