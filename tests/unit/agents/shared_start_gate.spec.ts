import { test } from '@japa/runner'
import type { WakeRegistry } from '#agents/replicas/wake_registry'
import type { AgentKey } from '#agents/types'
import { SharedStartGate } from '#agents/waking/shared_start_gate'
import { TestClock, until } from '#tests/doubles/test_clock'

const WAITING = 1000

test.group('Shared start gate', () => {
  /** A queue of all replicas, of which the test takes the first away. */
  const gateOver = (queue: AgentKey[]) => {
    const registry = { setQueued: async () => true, queue: async () => queue }
    const logger = { warn() {} }
    return new SharedStartGate(
      { clock: new TestClock(), logger } as never,
      { alone: false } as never,
      registry as unknown as WakeRegistry
    )
  }

  test('tells those far back only of notable changes, those in front of each', async ({
    assert,
  }) => {
    const queue = Array.from({ length: WAITING + 1 }, (_, index) => `user/${index}` as AgentKey)
    const last = queue.at(-1)!
    const told: number[] = []
    const gate = gateOver(queue)
    const { signal } = new AbortController()
    const entered = gate.enter(last, 1, { signal, tell: (position) => told.push(position) })
    await until(() => told.length === 1)
    while (queue.length > 1) {
      queue.shift()
      const looked = told.length
      await until(() => queue.length > 21 || told.length > looked || queue.length === 1)
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
    }
    await entered
    assert.equal(told[0], WAITING)
    assert.isBelow(told.length, 120)
    assert.includeMembers(told, [10, 5, 2, 1])
    assert.deepEqual(
      told,
      told.toSorted((one, another) => another - one)
    )
  })
})
