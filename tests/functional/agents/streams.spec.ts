import { once } from 'node:events'
import { test } from '@japa/runner'
import { AgentEventStreams } from '#agents/fleet/agent_event_stream'
import { eachHouse } from '#tests/doubles/agents_house'

test.group('A page that watches its agent', (group) => {
  const house = eachHouse(group)

  test('hears what happened while it was told the present status, and last', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const slowToDescribe = {
      describe: async () => {
        const before = await house.lifecycle.describe(agent)
        await house.lifecycle.ensureRunning(agent)
        return before
      },
      subscribe: house.lifecycle.subscribe.bind(house.lifecycle),
    }
    const streams = new AgentEventStreams(slowToDescribe, house.context)
    const stream = await streams.open(agent)
    await house.lifecycle.stop(agent)
    streams.close()

    const told = (await stream.toArray()).join('')
    const statuses = [...told.matchAll(/event: status\ndata: (.*)/g)].map(
      ([, data]) => JSON.parse(data).status
    )
    assert.equal(statuses[0], 'stopped')
    assert.include(statuses, 'starting')
    assert.deepEqual(statuses.slice(-2), ['stopping', 'stopped'])
  })

  test('is disconnected if it does not read, before what waits fills the memory', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    const stream = await new AgentEventStreams(house.lifecycle, house.context).open(agent)
    const gone = once(stream, 'error')
    const detail = 'x'.repeat(1000)
    for (let sent = 0; sent < 8000 && !stream.destroyed; sent++) {
      house.services.local.events.emit(agent, { type: 'outcome', outcome: { detail } } as never)
    }
    const [error] = await gone
    assert.match(error.message, /does not read/)
    assert.isBelow(stream.readableLength, 5_000_000)
  })

  test('hears nothing once its stream has ended, though that was still opening', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    const known = Promise.withResolvers<void>()
    const lifecycle = {
      describe: async () => {
        await known.promise
        return house.lifecycle.describe(agent)
      },
      subscribe: house.lifecycle.subscribe.bind(house.lifecycle),
    }
    const streams = new AgentEventStreams(lifecycle, house.context)
    const opening = streams.open(agent)
    streams.close()
    known.resolve()
    const stream = await opening
    await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(await stream.toArray(), [])
  })
})
