import { test } from '@japa/runner'
import { EventFeed } from '#runtimes/event_feed'
import { Watcher } from '#runtimes/drivers/process/watcher'
import { until } from '#tests/contracts/until'
import type { AgentRecord } from '#runtimes/drivers/process/records'

const HOUR_MS = 60 * 60_000
const NOW = Date.parse('2026-05-04T10:00:00Z')

/** Returns the record of an agent that has just started. */
function running(name: string, pid: number): AgentRecord {
  return {
    ...{ version: 1, name, agent: name, installation: 'here', user: null },
    run: {
      ...{ pid, startTicks: 1, bootId: 'boot', port: 1, generation: 1, specHash: 'hash' },
      ...{ startedAt: new Date(NOW).toISOString(), stopRequested: false, exit: null },
    },
  }
}

test.group('The watcher of the process driver', () => {
  test('looks at all agents, though the log of the first one cannot be bounded', async ({
    assert,
    cleanup,
  }) => {
    const noted: string[] = []
    const bounded: string[] = []
    const feed = new EventFeed()
    feed.emit = ({ type, name }) => void noted.push(`${type} ${name}`)
    const watcher = new Watcher(
      () => 'running',
      () => false,
      feed,
      () => NOW,
      async function* () {
        yield* [running('one', 2), running('two', 3)]
      },
      async ({ name }) => {
        bounded.push(name)
        if (name === 'one') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      }
    )
    cleanup(() => watcher.stop())
    watcher.note('gone', running('gone', 4).run)
    watcher.start()
    await until(async () => noted.includes('removed gone'))
    assert.deepEqual(bounded, ['one', 'two'])
    assert.includeMembers(noted, ['started one', 'started two'])
  })

  test('knows the later run by the kernel’s ticks, though the clock was set back', ({ assert }) => {
    const noted: string[] = []
    const feed = new EventFeed()
    feed.emit = ({ type, name }) => void noted.push(`${type} ${name}`)
    const watcher = new Watcher(
      (_, run) => (run.exit ? 'exited' : 'running'),
      () => false,
      feed,
      () => NOW - 2 * HOUR_MS,
      async function* () {},
      async () => {}
    )
    const first = running('one', 2).run!
    const second = { ...first, pid: 3, startTicks: 9 }
    second.startedAt = new Date(NOW - HOUR_MS).toISOString()
    watcher.note('one', first)
    watcher.note('one', { ...first, exit: { code: 0 } as never })
    watcher.note('one', second)
    /** The record was read before the second start. */
    watcher.note('one', first)
    watcher.note('one', { ...second, exit: { code: 1 } as never })
    assert.deepEqual(noted.slice(-3), ['exited one', 'started one', 'exited one'])
  })
})
