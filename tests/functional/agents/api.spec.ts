import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import type { AgentKey } from '#agents/types'
import LlmProvider from '#models/llm_provider'
import type User from '#models/user'
import UserContainer from '#models/user_container'
import { sharedLook } from '#installation/readiness'
import { RuntimeError } from '#runtimes/errors'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import settings from '#settings/services/main'
import { EventReader } from '#tests/doubles/event_reader'
import { until } from '#tests/doubles/test_clock'
import { Visitor } from '#tests/visitor'

test.group('The API of an agent', (group) => {
  const woken: AgentKey[] = []

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    return async () => {
      const lifecycle = await app.container.make('agents.lifecycle')
      for (const agent of woken.splice(0)) await lifecycle.stop(agent)
    }
  })

  async function signedIn(options: { admin?: boolean; provider?: boolean } = {}) {
    const factory = options.admin ? UserFactory.apply('admin') : UserFactory
    const user: User = await factory.create()
    if (options.provider !== false) await LlmProviderFactory.merge({ userId: user.id }).create()
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(user, { name: 'test' })
    const headers = { authorization: `Bearer ${token.value!.release()}` }
    const agent: AgentKey = `user/${user.id}`
    woken.push(agent)
    return { user, agent, headers, visitor: new Visitor({ headers }) }
  }

  const status = async (visitor: Visitor) => (await visitor.get('/api/v1/agent')).body.data.status

  test('an agent that never ran is asleep', async ({ assert }) => {
    const { visitor } = await signedIn()
    const { status: code, body } = await visitor.get('/api/v1/agent')
    assert.equal(code, 200)
    assert.deepEqual(body.data, {
      status: 'stopped',
      awake: false,
      desired: 'stopped',
      runtime: null,
      lastActiveAt: null,
      startedAt: null,
    })
  })

  test('starting, keeping awake, restarting and stopping answer 202 and the agent', async ({
    assert,
  }) => {
    const { visitor, user } = await signedIn()
    const started = await visitor.post('/api/v1/agent/start')
    assert.equal(started.status, 202)
    assert.containsSubset(started.body.data, { status: 'starting', awake: false })
    await until(async () => (await status(visitor)) === 'running')

    const kept = await visitor.post('/api/v1/agent/keep-awake')
    assert.equal(kept.status, 202)
    assert.isString(kept.body.data.idleStopAt)

    const before = (await UserContainer.findByOrFail('user_id', user.id)).containerId
    const restarted = await visitor.post('/api/v1/agent/restart')
    assert.equal(restarted.status, 202)
    assert.equal(restarted.body.data.status, 'stopping')
    await until(async () => {
      const row = await UserContainer.findByOrFail('user_id', user.id)
      return row.status === 'running' && row.containerId !== before
    })

    const stopped = await visitor.post('/api/v1/agent/stop')
    assert.equal(stopped.status, 202)
    assert.equal(stopped.body.data.status, 'stopping')
    await until(async () => (await status(visitor)) === 'stopped')
  })

  test('an agent without a provider says so, with the next step', async ({ assert }) => {
    const { visitor } = await signedIn({ provider: false })
    await visitor.post('/api/v1/agent/start')
    await until(async () => (await status(visitor)) === 'error')
    const { body } = await visitor.get('/api/v1/agent')
    assert.include(body.data, { reason: 'no_provider' })
    assert.match(body.data.hint, /provider/)
  })

  test('an admin’s stop answers at once, and what becomes of it is the agent’s state', async ({
    assert,
    cleanup,
  }) => {
    const { visitor, user } = await signedIn({ admin: true })
    const { name, models } = await LlmProvider.ownedBy(user.id).firstOrFail()
    const made = await visitor.post('/api/v1/admin/system-agents', {
      name: 'mosaic-system-ops',
      role: 'operations',
      primaryModel: `${name}/${models[0].id}`,
    })
    woken.push(`system/${made.body.data.id}`)
    await visitor.post('/api/v1/agent/start')
    const runtimes = await app.container.make('runtime.manager')
    const memory = (await runtimes.use('memory')) as MemoryDriver
    const stop = memory.stop.bind(memory)
    cleanup(() => void (memory.stop = stop))
    for (const path of ['/api/v1/admin/agents', '/api/v1/admin/system-agents']) {
      const seen = async () => (await visitor.get(path)).body.data[0]
      await until(async () => (await seen()).status === 'running')
      const held = Promise.withResolvers<void>()
      memory.stop = async () => {
        await held.promise
        throw new RuntimeError('engine_unreachable', 'The engine is away.')
      }
      const answer = await visitor.post(`${path}/${(await seen()).id}/stop`)
      assert.equal(answer.status, 202)
      assert.containsSubset(answer.body.data, { status: 'stopping', desired: 'stopped' })
      held.resolve()
      await until(async () => (await seen()).status === 'error')
      assert.equal((await seen()).reason, 'engine_unreachable')
      memory.stop = stop
    }
  })

  test('nothing in an answer names the gateway or its token', async ({ assert }) => {
    const { visitor, user } = await signedIn()
    await visitor.post('/api/v1/agent/start')
    await until(async () => (await status(visitor)) === 'running')
    const row = await UserContainer.findByOrFail('user_id', user.id)
    const text = JSON.stringify((await visitor.get('/api/v1/agent')).body)
    assert.notInclude(text, row.endpoint!)
    assert.notInclude(text, (await row.open('gatewayToken'))!)
  })

  test('strangers are turned away', async ({ assert }) => {
    const stranger = new Visitor()
    for (const path of ['', '/events']) {
      assert.equal((await stranger.get(`/api/v1/agent${path}`)).status, 401)
    }
  })

  test('events begin with the status, then tell of the wake, and of nobody else', async ({
    assert,
  }) => {
    const one = await signedIn()
    const other = await signedIn()
    const events = await EventReader.open('/api/v1/agent/events', one.headers)
    assert.match(events.contentType, /^text\/event-stream/)
    assert.containsSubset(await events.next(), { event: 'status', data: { status: 'stopped' } })

    await other.visitor.post('/api/v1/agent/start')
    await one.visitor.post('/api/v1/agent/start')
    const told = []
    for (;;) {
      const { event, data } = await events.next()
      if (event === 'heartbeat') continue
      told.push(event === 'progress' ? data.stage : data.status)
      if (event === 'progress') assert.isTrue(Number.isInteger(data.elapsedMs))
      else assert.equal(data.awake, data.status === 'running')
      if (data.status === 'running') break
    }
    assert.deepEqual(told.slice(0, 2), ['starting', 'provisioning'])
    assert.equal(told.at(-2), 'ready')
    assert.lengthOf(
      told.filter((stage) => stage === 'ready'),
      1
    )
    await events.close()
  })

  test('a page that joins in the middle of a wake is told where it stands', async ({ assert }) => {
    const { headers, visitor, user } = await signedIn()
    const runtimes = await app.container.make('runtime.manager')
    const memory = (await runtimes.use('memory')) as MemoryDriver
    memory.behave(`mosaic-user-${user.id}`, { bootMs: 60_000 })
    await visitor.post('/api/v1/agent/start')
    await until(async () => (await status(visitor)) === 'starting')

    const events = await EventReader.open('/api/v1/agent/events', headers)
    assert.containsSubset(await events.next(), { event: 'status', data: { status: 'starting' } })
    assert.containsSubset(await events.next(), { event: 'progress' })
    await events.close()
  })

  test('a page that leaves frees its place; too many at once are refused', async ({ assert }) => {
    const { headers, visitor } = await signedIn()
    const open = () => EventReader.open('/api/v1/agent/events', headers)
    const readers = await Promise.all(Array.from({ length: 8 }, open))
    const refused = await visitor.get('/api/v1/agent/events')
    assert.equal(refused.status, 429)
    assert.equal(refused.body.errors[0].code, 'E_TOO_MANY_WATCHERS')
    assert.isNotNull(refused.headers.get('retry-after'))

    for (const reader of readers) await reader.close()
    await until(async () => {
      const reader = await open().catch(() => null)
      await reader?.close()
      return reader !== null
    })
  })

  test('metrics are for admins and for this machine', async ({ assert }) => {
    const member = await signedIn()
    const admin = await signedIn({ admin: true })
    const proxied = { 'x-forwarded-for': '192.0.2.7' }

    const local = await new Visitor().get('/metrics')
    assert.equal(local.status, 200)
    assert.match(local.headers.get('content-type')!, /^text\/plain/)
    for (const metric of [
      'mosaic_agent_wakes_total',
      'mosaic_relay_streams',
      'nodejs_eventloop_lag_seconds',
    ]) {
      assert.include(local.body, `\n${metric}`)
    }
    assert.equal((await new Visitor({ headers: proxied }).get('/metrics')).status, 401)
    assert.equal((await member.visitor.get('/metrics', proxied)).status, 403)
    assert.equal((await admin.visitor.get('/metrics', proxied)).status, 200)

    const tokens = await app.container.make('identity.tokens')
    for (const [ability, expected] of [
      ['chat', 403],
      ['read', 200],
    ] as const) {
      const token = await tokens.create(admin.user, { name: 'test', abilities: [ability] })
      const headers = { ...proxied, authorization: `Bearer ${token.value!.release()}` }
      assert.equal((await new Visitor({ headers }).get('/metrics')).status, expected, ability)
    }
  })

  test('readiness names what was looked at, and no address or path', async ({ assert }) => {
    const { status: code, body } = await new Visitor().get('/health/ready')
    assert.equal(code, 200, JSON.stringify(body))
    const names = body.checks.map(({ name }: { name: string }) => name)
    assert.deepEqual(names, ['database', 'migrations', 'vault', 'runtime'])
    assert.notMatch(JSON.stringify(body), /\/tmp|127\.0\.0\.1|sqlite:|postgres:/)
    assert.deepEqual((await new Visitor().get('/health/live')).body, { status: 'ok' })
  })

  test('readiness asked for by many at once is looked at once, and again after that', async ({
    assert,
  }) => {
    let looks = 0
    const looked = Promise.withResolvers<void>()
    const run = async () => {
      looks++
      await looked.promise
      return { isHealthy: true } as never
    }
    const look = sharedLook({ run })
    const asked = [look(), look(), look()]
    looked.resolve()
    await Promise.all(asked)
    assert.equal(looks, 1)
    await look()
    assert.equal(looks, 2)
  })

  test('readiness of a Mosaic that stops names a time to wait', async ({ assert, cleanup }) => {
    Object.defineProperty(app, 'isTerminating', { get: () => true, configurable: true })
    cleanup(() => void Reflect.deleteProperty(app, 'isTerminating'))
    const { status: code, headers, body } = await new Visitor().get('/health/ready')
    assert.deepEqual([code, headers.get('retry-after'), body.status], [503, '5', 'error'])
  })
})
