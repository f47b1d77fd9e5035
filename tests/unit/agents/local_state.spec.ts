import { test } from '@japa/runner'
import { LocalState } from '#agents/state/local_state'
import type { AgentRow } from '#agents/types'
import UserContainer from '#models/user_container'

const AGENT = 'user/ada'

const rowOf = (status: AgentRow['status']): AgentRow =>
  new UserContainer().merge({ userId: 'ada', status, desired: 'running', idleTimeoutMin: 30 })

test.group('State of an agent in this process', () => {
  /** Tells the present state, and `meanwhile` the other states while the row is looked up. */
  async function told(present: AgentRow['status'], meanwhile: AgentRow['status'][]) {
    const found = Promise.withResolvers<AgentRow>()
    const use = { inFlight: () => 0, lastActiveAt: () => null }
    const local = new LocalState(use, { find: () => found.promise })
    const states: string[] = []
    local.subscribe(AGENT, (event) => {
      if (event.type === 'status') states.push(event.agent.status)
    })
    const telling = local.tellPresent(AGENT)
    for (const status of meanwhile) local.tellStatus(rowOf(status))
    found.resolve(rowOf(present))
    await telling
    return states
  }

  test('is told when it is looked up', async ({ assert }) => {
    assert.deepEqual(await told('running', []), ['running'])
  })

  test('is not told after a newer one, however long the lookup took', async ({ assert }) => {
    assert.deepEqual(await told('starting', ['starting', 'running']), ['starting', 'running'])
  })
})
