import { test } from '@japa/runner'
import type { AgentKey, GatewayAccess } from '#agents/types'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { eachHouse } from '#tests/doubles/agents_house'

test.group('The gateway token of an agent', (group) => {
  const house = eachHouse(group)

  /** Sends a chat to a gateway and returns its status. */
  async function chat({ url, token }: GatewayAccess): Promise<number> {
    const { status } = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
    })
    return status
  }

  const whose = async ({ token }: GatewayAccess, replica = house): Promise<AgentKey | null> =>
    (await replica.tokens.identify(token))?.agent ?? null

  test('is another one at each start, and the former opens nothing at once', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const former = await house.lifecycle.ensureRunning(agent)
    assert.equal(await whose(former), agent)

    const present = await house.lifecycle.restartAndWait(agent)
    assert.notEqual(present.token, former.token)
    assert.isNull(await whose(former))
    assert.equal(await whose(present), agent)
    assert.equal(await chat({ ...present, token: former.token }), 401)
    assert.equal(await chat(present), 200)
  })

  for (const way of ['stop', 'crash'] as const) {
    test(`is nobody's after a ${way}, before the next start`, async ({ assert }) => {
      const { agent, name, userId } = await house.newAgent()
      const former = await house.lifecycle.ensureRunning(agent)
      assert.equal(await whose(former), agent)
      if (way === 'stop') await house.lifecycle.stop(agent)
      else await house.memory.crash(name).then(() => house.services.observer.recheck(agent))

      assert.isNull(await whose(former))
      assert.include((await house.row(userId)).$attributes, { gatewayToken: null })
      const next = await house.lifecycle.startAndWait(agent)
      assert.equal(await chat(next), 200)
    })
  }

  test('stays while the agent runs on, whoever looks: no query on the warm path', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    const access = await house.lifecycle.ensureRunning(agent)
    assert.equal(await house.queries(() => house.lifecycle.ensureRunning(agent)), 0)

    house.lifecycle.invalidate(agent)
    assert.deepEqual(await house.lifecycle.ensureRunning(agent), access)
    const next = house.nextProcess()
    assert.deepEqual(await next.lifecycle.ensureRunning(agent), access)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('stays while the agent is suspended', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const { token } = await house.lifecycle.ensureRunning(agent)
    await house.services.idleStopper.stop(agent, () => ({ kind: 'suspend' }))
    const awake = await house.lifecycle.ensureRunning(agent)
    assert.equal(awake.token, token)
    assert.equal(await chat(awake), 200)
  })

  test('locks nobody out when a start ends half-way: {0}')
    .with([
      ['its answer is lost', { ensure: { lost: true } }],
      ['nothing is made', { ensure: { bad: 'engine_unreachable' } }],
      ['what was made cannot be ended', { ensure: { lost: true }, stop: { bad: 'internal' } }],
    ] as const)
    .run(async ({ assert }, [, chaos]) => {
      const { agent, name } = await house.newAgent()
      Object.assign(house.driver.chaos, chaos)
      await assert.rejects(() => house.lifecycle.ensureRunning(agent))
      for (const verb of Object.keys(house.driver.chaos)) {
        delete house.driver.chaos[verb as 'ensure']
      }
      const access = await house.lifecycle.startAndWait(agent)
      assert.equal(await chat(access), 200)
      assert.equal(await whose(access), agent)
      assert.equal(house.memory.counts(name).mostAlive, 1)
    })

  test('locks nobody out when Mosaic is killed between the row and the start', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    const former = await house.lifecycle.ensureRunning(agent)
    const row = await house.row(userId)
    await row.renewGatewayToken()
    await row.merge({ status: 'starting', specHash: 'of the next generation' }).save()

    const next = house.nextProcess()
    await next.reconciler.reconcile()
    const access = await next.lifecycle.ensureRunning(agent)
    assert.equal(await chat(access), 200)
    assert.notEqual(access.token, former.token)
    assert.equal(await chat({ ...access, token: former.token }), 401)
    assert.equal(house.memory.counts(name).mostAlive, 1)
  })

  test('locks nobody out when two replicas of Mosaic start the agent at once', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    const other = house.nextProcess()
    const accesses = await Promise.all(
      [house, other].map((replica) => replica.lifecycle.ensureRunning(agent))
    )
    assert.deepEqual(accesses[0], accesses[1])
    assert.equal(await chat(accesses[0]), 200)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('opens nothing at another replica of Mosaic either, which had just looked it up', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    const other = house.nextProcess()
    for (const replica of [house, other]) await replica.services.open()
    await house.context.replicas.heartbeat()
    const former = await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(await other.lifecycle.ensureRunning(agent), former)

    await house.lifecycle.stop(agent)
    assert.equal(await whose(former, other), null)
    const second = await house.lifecycle.ensureRunning(agent)
    assert.equal(await whose(second, other), agent)
    await house.lifecycle.restartAndWait(agent)
    assert.isNull(await whose(second, other))
  })

  test('is forgotten by another replica that remembers it with the same address', async ({
    assert,
  }) => {
    const { agent, userId } = await house.newAgent()
    const other = house.nextProcess()
    for (const replica of [house, other]) await replica.services.open()
    await house.context.replicas.heartbeat()
    await house.lifecycle.ensureRunning(agent)
    await other.lifecycle.ensureRunning(agent)
    const row = await house.row(userId)
    await row.renewGatewayToken()
    await row.save()
    for (let looks = 0; looks < 40 && other.lifecycle.peek(agent); looks++) {
      house.clock.advance(250)
      await house.row(userId)
      await new Promise(setImmediate)
    }
    assert.isNull(other.lifecycle.peek(agent))
  })

  test('takes the devices along that were let in with it', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.memory.behave(name, { devices: ['of whoever had the token'] })
    await house.lifecycle.restartAndWait(agent)
    while (house.world.behaviour(name).devices!.length > 0) await new Promise(setImmediate)
    assert.deepEqual(house.world.behaviour(name).devices, [])
  })

  test('is not what a move to another runtime carries along', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const former = await house.lifecycle.ensureRunning(agent)
    house.runtimes.other = new MemoryDriver({ now: house.clock.now, name: 'other' }, 'house')
    house.settings['runtime.driver'] = 'other'
    const present = await house.lifecycle.restartAndWait(agent)
    assert.notEqual(present.token, former.token)
    assert.equal(await chat(present), 200)
    await house.runtimes.other.close!()
  })
})
