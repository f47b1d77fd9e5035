import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import type { AgentKey } from '#agents/types'
import User from '#models/user'
import UserContainer from '#models/user_container'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const IDLE = 12
const IN_USE = 6

interface Agent {
  agent: AgentKey
  name: string
  userId: string
}

/** Not wrapped in a transaction: each replica has its own connections, as in production. */
test.group('Two reapers at once, in two replicas of Mosaic', (group) => {
  let house: AgentsHouse
  let other: AgentsHouse
  let agents: Agent[]

  group.each.setup(async () => {
    house = new AgentsHouse()
    other = house.nextProcess()
    for (const replica of [house, other]) await replica.services.open()
    await house.context.replicas.heartbeat()
    agents = []
    for (let count = 0; count < IDLE + IN_USE; count++) agents.push(await house.newAgent())
    await Promise.all(agents.map(({ agent }) => house.lifecycle.ensureRunning(agent)))
    return async () => {
      await house.close()
      const users = agents.map(({ userId }) => userId)
      await User.query().whereIn('id', users).delete()
    }
  })

  /** Ages the rows as if nobody had used the agents for an hour. */
  const leaveAlone = () => {
    const query = UserContainer.query()
    const before = DateTime.fromMillis(house.clock.now()).minus({ hours: 1 })
    const users = agents.map(({ userId }) => userId)
    return query
      .whereIn('user_id', users)
      .update({ last_active_at: before.toFormat(query.client.dialect.dateTimeFormat) })
  }

  /** Publishes what each replica tells the other every second. */
  const tell = async () => {
    for (const { context, activity } of [house, other]) {
      await context.replicas.heartbeat()
      await activity.publish()
    }
  }

  const stops = (some: Agent[]) => some.map(({ name }) => house.memory.counts(name).stops)

  test('stop each idle agent once, and none that either has a stream open with', async ({
    assert,
  }) => {
    const [idle, used] = [agents.slice(0, IDLE), agents.slice(IDLE)]
    const ends = used.map(({ agent }, index) =>
      (index % 2 === 0 ? house : other).activity.begin(agent)
    )
    await Promise.all([house, other].map((replica) => replica.activity.flush()))
    await tell()
    await leaveAlone()

    /** Each reaper sees all agents; the later one finds the lease held, or the agent stopped. */
    const sweeps = await Promise.all([
      house.reaper.reapIdle(),
      other.reaper.reapIdle(),
      other.reaper.reapAll(),
    ])
    assert.deepEqual(
      stops(idle),
      idle.map(() => 1)
    )
    assert.deepEqual(
      stops(used),
      used.map(() => 0)
    )
    assert.equal(
      sweeps.reduce((sum, { stopped }) => sum + stopped, 0),
      IDLE
    )
    assert.equal(
      sweeps.reduce((sum, { failed }) => sum + failed, 0),
      0
    )

    ends.forEach((end) => end())
    await until(async () => {
      await tell()
      return (await house.reaper.reapAll()).candidates === 0
    })
    assert.deepEqual(
      stops(used),
      used.map(() => 1)
    )
  })
})
