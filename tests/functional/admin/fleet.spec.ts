import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { FleetHistory } from '#agents/fleet/fleet_history'
import { FleetEventStreams } from '#agents/fleet/fleet_event_stream'
import type { AgentGauges } from '#agents/metrics'
import { fleetGauges } from '#agents/fleet/fleet_gauges'
import UserContainer from '#models/user_container'
import settings from '#settings/services/main'
import { lifecycleFields } from '#transformers/lifecycle_fields'
import { UserFactory } from '#database/factories/user_factory'
import { eachHouse } from '#tests/doubles/agents_house'
import { EventReader } from '#tests/doubles/event_reader'
import { until } from '#tests/doubles/test_clock'

test.group('The fleet, as admins watch it', (group) => {
  const house = eachHouse(group)
  let streams: FleetEventStreams
  group.each.setup(() => {
    const { local, sharedWakes } = house.services
    streams = new FleetEventStreams(house.context, {
      gauges: () => fleetGauges(local.wakes, sharedWakes.gate),
      describe: lifecycleFields,
    })
    house.transitions.push((transition) => streams.tell(transition))
    return () => streams.close()
  })

  /** Collects the events received so far. */
  function heard(stream: Readable) {
    const events: { event: string; data: any }[] = []
    stream.on('data', (text: Buffer) => {
      for (const [, event, data] of String(text).matchAll(/event: (\w+)\ndata: (.+)\n\n/g)) {
        events.push({ event, data: JSON.parse(data) })
      }
    })
    return events
  }

  test('is told how it stands, and of each change at once', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    const stream = await streams.open()
    const events = heard(stream)
    await house.lifecycle.ensureRunning(agent)
    await until(() => events.some(({ data }) => data.status === 'running'))

    assert.equal(events[0].event, 'fleet')
    const { id } = await house.row(userId)
    const { data } = events.findLast(({ event }) => event === 'agent')!
    assert.containsSubset(data, { id, kind: 'user', status: 'running', reason: null })
    for (const hidden of ['gatewayToken', 'endpoint', 'enc:', '127.0.0.1']) {
      assert.notInclude(JSON.stringify(events), hidden)
    }

    house.clock.advance(1000)
    await until(() => events.at(-1)!.event === 'fleet')
    assert.equal(events.at(-1)!.data.agents.running, 1)
    stream.destroy()
  })

  test('is looked at again for what another replica of Mosaic did', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const stream = await streams.open()
    const events = heard(stream)
    const row = await UserContainer.findByOrFail('user_id', userId)
    await row.merge({ status: 'error', statusReason: 'out_of_memory' }).save()
    /** Time columns use the real clock, which is ahead of the test clock. */
    house.clock.advance(15_000)
    await until(() => events.some(({ data }) => data.reason === 'out_of_memory'))
    stream.destroy()
    assert.isTrue(events.some(({ event, data }) => event === 'agent' && data.status === 'error'))
  })

  test('is never told an older number after a newer one', async ({ assert }) => {
    const counts: PromiseWithResolvers<AgentGauges>[] = []
    const own = new FleetEventStreams(house.context, {
      gauges: () => {
        const count = Promise.withResolvers<AgentGauges>()
        counts.push(count)
        return count.promise
      },
      describe: lifecycleFields,
    })
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const row = await house.row(userId)
    const running = (count: number) => ({ agents: { running: count }, waking: 0, queued: 0 })

    const opening = own.open()
    own.tell({ row })
    house.clock.advance(1000)
    own.tell({ row })
    house.clock.advance(1000)
    await until(() => counts.length === 3)
    counts[2].resolve(running(3))
    counts[1].resolve(running(2))
    counts[0].resolve(running(1))
    const stream = await opening
    const events = heard(stream)
    await until(() => events.some(({ event }) => event === 'fleet'))
    own.close()
    await once(stream, 'end')
    const told = events.filter(({ event }) => event === 'fleet')
    assert.deepEqual(
      told.map(({ data }) => data.agents.running),
      [3]
    )
  })

  test('ends for good, and opens again with looks of its own', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const ended = await streams.open()
    streams.close()
    const next = await streams.open()
    const events = heard(next)
    streams.tell({ row: await house.row(userId) })
    const last = heard(ended)
    await once(ended, 'end')
    assert.deepEqual(
      last.map(({ event }) => event),
      ['fleet']
    )

    const row = await UserContainer.findByOrFail('user_id', userId)
    await row.merge({ status: 'error', statusReason: 'out_of_memory' }).save()
    house.clock.advance(15_000)
    await until(() => events.some(({ data }) => data.reason === 'out_of_memory'))
    next.destroy()
  })

  test('costs nothing while nobody watches', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const before = house.clock.backgroundTimers
    const stream = await streams.open()
    stream.destroy()
    await until(() => house.clock.backgroundTimers === before)
    await house.lifecycle.ensureRunning(agent)
    assert.equal(await house.queries(() => streams.tell({ row: {} as never })), 0)
  })

  test('is remembered for a day, minute by minute', async ({ assert }) => {
    const history = new FleetHistory(house.context, async () => {
      return { agents: { running: 2 }, waking: 0, queued: 1 }
    })
    for (let minute = 0; minute < 24 * 60 + 5; minute++) {
      await history.sample()
      house.clock.advance(60_000)
    }
    const samples = history.list()
    assert.lengthOf(samples, 24 * 60)
    assert.containsSubset(samples[0], { agents: { running: 2 }, queued: 1 })
    assert.isBelow(Date.parse(samples[0].at), Date.parse(samples[1].at))
  })
})

test.group('The fleet over HTTP', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('is one answer, and a stream', async ({ assert, cleanup }) => {
    const admin = await UserFactory.apply('admin').create()
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(admin, { name: 'test' })
    const headers = { authorization: `Bearer ${token.value!.release()}` }

    const events = await EventReader.open('/api/v1/admin/fleet/events', headers)
    cleanup(() => events.close())
    assert.match(events.contentType, /^text\/event-stream/)
    const { event, data } = await events.next()
    assert.equal(event, 'fleet')
    assert.sameMembers(Object.keys(data), ['agents', 'waking', 'queued'])
  })
})
