import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import { AgentDirectory } from '#agents/fleet/agent_directory'
import { EarlyWakes } from '#agents/background/early_wakes'
import { RecentChanges } from '#agents/replicas/recent_changes'
import type { AgentKey } from '#agents/types'
import UserContainer from '#models/user_container'
import { UserDirectory } from '#identity/user_directory'
import { eachHouse } from '#tests/doubles/agents_house'
import { FullScans } from '#tests/full_scans'
import { UsageReport } from '#usage/usage_report'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

test.group('Large fleets', (group) => {
  const house = eachHouse(group)

  /** Sets when the row was last changed, in milliseconds of the house's clock. */
  const changedAt = (userId: string, at: number) => {
    const query = UserContainer.query().where('user_id', userId)
    const { dateTimeFormat } = query.client.dialect
    return query.update({ updated_at: DateTime.fromMillis(at).toFormat(dateTimeFormat) })
  }

  const awake = async (count: number) => {
    const agents = await Promise.all(Array.from({ length: count }, () => house.newAgent()))
    for (const { agent } of agents) await house.lifecycle.ensureRunning(agent)
    return agents
  }

  test('no recurring work and no list reads a whole table', async ({ assert }) => {
    await awake(2)
    const early = new EarlyWakes(house.context, house.services.backgroundWakes, house.rester)
    const changes = new RecentChanges(house.clock)
    const day = '2026-11-23'
    const scans = await FullScans.of(['users', 'user_containers', 'usage_days'], async () => {
      await house.reconciler.reconcile({ dryRun: true })
      await house.reaper.candidates()
      await house.rester.rest()
      await house.health.healthCheckAll()
      await early.sweep()
      await changes.recent()
      await new UserDirectory().list({})
      await new AgentDirectory().list({})
      await new AgentDirectory().list({ status: 'running' })
      await new UsageReport().usage({ from: day, to: day } as never, { id: 'nobody' })
    })
    assert.isAbove(scans.queries, 10)
    assert.deepEqual(scans.found, [])
  })

  test('reconciling takes as many queries for many agents as for few, and reads no secret', async ({
    assert,
  }) => {
    await awake(2)
    const few = await house.queries(() => house.reconciler.reconcile())
    await awake(10)
    const statements: string[] = []
    const client = db.connection().getWriteClient()
    const note = ({ sql }: { sql: string }) => void statements.push(sql)
    client.on('query', note)
    const many = await house.queries(() => house.reconciler.reconcile())
    client.removeListener('query', note)
    assert.equal(many, few)
    assert.isEmpty(statements.filter((sql) => /select \* from .user_containers/.test(sql)))
  })

  test('replicas read what changed lately, not what they know', async ({ assert }) => {
    const agents = await awake(5)
    const changes = new RecentChanges(house.clock)
    const now = house.clock.now()
    for (const { userId } of agents) await changedAt(userId, now - HOUR_MS)
    await changedAt(agents[0].userId, now)
    await changes.recent()

    await changedAt(agents[3].userId, now + 1000)
    house.clock.advance(MINUTE_MS)
    const agentsOf = async () => (await changes.recent()).map(({ agent }) => agent).toSorted()
    assert.deepEqual(await agentsOf(), [agents[0].agent, agents[3].agent].toSorted())
    assert.deepEqual(await agentsOf(), [agents[0].agent, agents[3].agent].toSorted())
    await changedAt(agents[4].userId, now + MINUTE_MS)
    await agentsOf()
    assert.deepEqual(await agentsOf(), [agents[4].agent])
  })

  test('a replica whose clock is ahead hides nobody else’s changes', async ({ assert }) => {
    const [hasty, other] = await awake(2)
    const changes = new RecentChanges(house.clock)
    await changedAt(hasty.userId, house.clock.now() + HOUR_MS)
    await changes.recent()
    await changedAt(other.userId, house.clock.now())
    const found = (await changes.recent()).map(({ agent }) => agent)
    assert.include(found, other.agent)
  })

  test('changes of a replica whose clock is behind are found a little later', async ({
    assert,
  }) => {
    const other = house.nextProcess()
    for (const replica of [house, other]) await replica.services.open()
    await house.context.replicas.heartbeat()
    const [{ agent, userId }] = await awake(1)
    await other.lifecycle.ensureRunning(agent)
    await house.lifecycle.stop(agent)
    await changedAt(userId, house.clock.now() - HOUR_MS)
    for (let second = 0; second < 40 && other.lifecycle.peek(agent); second++) {
      house.clock.advance(1000)
      await house.row(userId)
      await new Promise(setImmediate)
    }
    assert.isNull(other.lifecycle.peek(agent))
  })

  test('agents used at different moments share a statement a second', async ({ assert }) => {
    const queries = await house.queries(async () => {
      for (let step = 0; step < 100; step++) {
        house.activity.touch(`user/${step}` as AgentKey)
        house.clock.advance(100)
        await new Promise(setImmediate)
      }
      await house.activity.flush()
    })
    assert.isAtMost(queries, 12)
  })
})
