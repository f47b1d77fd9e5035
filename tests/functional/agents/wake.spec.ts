import { test } from '@japa/runner'
import { AgentUnavailable } from '#agents/state/errors'
import type { AgentKey, WakeProgress } from '#agents/types'
import { E_UNKNOWN_AGENT } from '#openclaw/errors'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

test.group('Waking an agent', (group) => {
  const house = eachHouse(group)

  test('gives the address of its gateway, and the token that opens it', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    const { url, token } = await house.lifecycle.ensureRunning(agent)

    const refused = await fetch(`${url}/sessions/x/history`)
    assert.equal(refused.status, 401)
    const answer = await fetch(`${url}/sessions/x/history`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 404)

    const row = await house.row(userId)
    assert.include(row.$attributes, {
      status: 'running',
      desired: 'running',
      runtime: 'memory',
      endpoint: url,
      documentHash: 'document-1',
      generation: 1,
      idleTimeoutMin: 30,
      containerName: `mosaic-user-${userId}`,
    })
    assert.equal(row.startedAt!.toMillis(), row.lastActiveAt!.toMillis())
    assert.equal(await row.open('gatewayToken'), token)
  })

  test('a thousand callers at once make it start once, and all are answered', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: 2000 })
    const calls = Array.from({ length: 1000 }, () => house.lifecycle.ensureRunning(agent))
    const urls = new Set((await Promise.all(calls)).map(({ url }) => url))

    assert.equal(urls.size, 1)
    assert.equal(house.memory.counts(name).starts, 1)
    assert.equal(house.driver.calls.ensure, 1)
  })

  test('costs no query and no call to the runtime while it runs', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const cold = await house.queries(() => house.lifecycle.ensureRunning(agent))
    assert.isAbove(cold, 0)
    const access = house.lifecycle.peek(agent)!
    house.driver.calls.inspect = 0

    const queries = await house.queries(async () => {
      for (let call = 0; call < 100; call++) {
        assert.strictEqual(await house.lifecycle.ensureRunning(agent), access)
      }
    })
    assert.equal(queries, 0)
    assert.equal(house.driver.calls.inspect, 0)
    assert.strictEqual(house.lifecycle.peek(agent), access)
  })

  test('is looked at anew after a failed connect, and not started twice', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    const before = await house.lifecycle.ensureRunning(agent)
    house.lifecycle.invalidate(agent)
    assert.isNull(house.lifecycle.peek(agent))

    assert.deepEqual(await house.lifecycle.ensureRunning(agent), before)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('one that ends while it is looked at is started anew, as nothing has failed', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.lifecycle.invalidate(agent)
    const { inspect } = house.driver
    house.driver.inspect = async (ref) => {
      house.driver.inspect = inspect
      const observed = await inspect.call(house.driver, ref)
      await house.memory.crash(name)
      return observed
    }

    const { url } = await house.lifecycle.ensureRunning(agent)
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal(house.memory.counts(name).starts, 2)
    const { status, failureCount, retryAt } = await house.row(userId)
    assert.deepEqual(
      { status, failureCount, retryAt },
      { status: 'running', failureCount: 0, retryAt: null }
    )
  })

  test('tells its stages, how long it takes and how long it usually does', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: 3000 })
    const told: WakeProgress[] = []
    await house.lifecycle.ensureRunning(agent, { onProgress: (step) => told.push(step) })

    const stages = told.map(({ stage }) => stage)
    assert.deepEqual([...new Set(stages)], ['provisioning', 'starting', 'booting', 'ready'])
    assert.isNull(told[0].usualMs)
    assert.isAtLeast(told.at(-1)!.elapsedMs, 3000)

    await house.lifecycle.stop(agent)
    const again: WakeProgress[] = []
    await house.lifecycle.ensureRunning(agent, { onProgress: (step) => again.push(step) })
    assert.isAtLeast(again[0].usualMs!, 3000)
  })

  test('one caller who leaves does not end it for the others', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: 1000 })
    const leaving = new AbortController()
    const left = house.lifecycle.ensureRunning(agent, { signal: leaving.signal })
    const stays = house.lifecycle.ensureRunning(agent)
    leaving.abort(new Error('gone'))

    await assert.rejects(() => left, 'gone')
    assert.isString((await stays).url)
  })

  test('agents line up when more start than may at once, and are told their place', async ({
    assert,
  }) => {
    house.settings['agents.startConcurrency'] = 1
    const agents = [await house.newAgent(), await house.newAgent(), await house.newAgent()]
    const places: number[][] = []
    await Promise.all(
      agents.map(({ agent }, index) => {
        places[index] = []
        return house.lifecycle.ensureRunning(agent, {
          onProgress: ({ queuePosition }) => queuePosition && places[index].push(queuePosition),
        })
      })
    )
    const lines = places.map((told) => told.join()).sort()
    assert.deepEqual(lines, ['', '1', '2,1'])
    assert.equal(house.services.sharedWakes.gate.starting, 0)
  })

  test('agents in line are told how long that will take, by how long starts took', async ({
    assert,
  }) => {
    house.settings['agents.startConcurrency'] = 2
    house.memory.behave('*', { bootMs: 8000 })
    house.settings['agents.bootTimeoutSec'] = 60
    const agents = await Promise.all(Array.from({ length: 6 }, () => house.newAgent()))
    const told: (number | undefined)[][] = []
    const wake = ({ agent }: { agent: AgentKey }) =>
      house.lifecycle.ensureRunning(agent, {
        onProgress: ({ stage, queuePosition, expectedWaitMs }) => {
          if (stage === 'queued') told.push([queuePosition, expectedWaitMs])
        },
      })
    /** Without an earlier start there is no estimate. */
    await Promise.all(agents.slice(0, 3).map(wake))
    assert.deepEqual(told.splice(0), [[1, undefined]])

    await Promise.all(agents.map(({ agent }) => house.lifecycle.stop(agent)))
    await Promise.all(agents.map(wake))
    const waits = new Map(told.map(([position, wait]) => [position!, wait!]))
    assert.sameMembers([...waits.keys()], [1, 2, 3, 4])
    for (const [position, wait] of waits) assert.closeTo(wait, position * 4000, position * 500)
  })

  /** Each start gets its own gateway token, so a former instance cannot pass for the new one. */
  test('a new generation begins with each start, and with nothing else', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.lifecycle.invalidate(agent)
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).generation, 1)

    house.document = 'document-2'
    await house.lifecycle.restartAndWait(agent)
    assert.include((await house.row(userId)).$attributes, {
      generation: 2,
      documentHash: 'document-2',
    })
  })

  test('an agent that does not exist is said to be unknown', async ({ assert }) => {
    for (const agent of ['user/nobody', 'system/nothing'] as const) {
      const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
      assert.instanceOf(error, E_UNKNOWN_AGENT)
    }
  })

  test('watchers hear progress and status, and nobody else does', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const other = await house.newAgent()
    const heard: string[] = []
    house.lifecycle.subscribe(other.agent, () => heard.push('other'))
    const stop = house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'status') heard.push(event.agent.status)
      if (event.type === 'progress') heard.push(event.progress.stage)
    })
    await house.lifecycle.ensureRunning(agent)
    await until(() => heard.at(-1) === 'running')
    stop()
    await house.lifecycle.stop(agent)
    assert.deepEqual(heard.slice(0, 2), ['starting', 'provisioning'])
    assert.deepEqual(heard.slice(-2), ['ready', 'running'])
    assert.notInclude(heard, 'other')
  })

  test('Mosaic ends in the middle: callers are let go, and the next one goes on', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    house.memory.behave(name, { bootMs: 4000 })
    const call = house.lifecycle.ensureRunning(agent, {
      onProgress: ({ stage }) => {
        if (stage === 'booting') void house.services.close()
      },
    })
    const error = await call.catch((thrown) => thrown)
    assert.instanceOf(error, AgentUnavailable)
    assert.equal((await house.row(userId)).status, 'starting')

    const next = house.nextProcess()
    const { resumed } = await next.reconciler.reconcile()
    assert.equal(resumed, 1)
    await next.lifecycle.ensureRunning(agent)
    assert.equal(house.memory.counts(name).starts, 1)
  })
})
