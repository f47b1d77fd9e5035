import { test } from '@japa/runner'
import type { AgentName } from '#openclaw/agent_name'
import { ArchiveKeeper, type ArchiveKeeperParts } from '#knowledge/archive/archive_keeper'
import { TestClock, until } from '#tests/doubles/test_clock'

const AGENT: AgentName = 'user/one'
const GATEWAY = { url: 'http://127.0.0.1:1', token: 'token' }

test.group('The keeper of archives', (group) => {
  let clock: TestClock
  let keeper: ArchiveKeeper
  /** Owners whose archives were ingested, in order. */
  let ingested: string[]
  let warnings: string[]
  /** The result of an ingestion. */
  let result: () => Promise<number | null>
  let interruption: AbortSignal | undefined

  group.each.setup(() => {
    clock = new TestClock()
    ingested = []
    warnings = []
    result = async () => 1
    keeper = new ArchiveKeeper({
      ingestion: {
        ingest: (userId, _source, signal) => {
          ingested.push(userId)
          interruption = signal
          return result()
        },
      },
      gatewayOf: () => GATEWAY,
      sourceAt: () => ({ list: async () => [], read: async () => null }),
      logger: { warn: (_: object, message: string) => void warnings.push(message) } as never,
      clock,
    } satisfies ArchiveKeeperParts)
    return () => {
      const closed = keeper.close()
      clock.advance(10_000)
      return closed
    }
  })

  /** Lets promises settle that wait for no timer. */
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  const afterChats = async (count: number) => {
    for (let chat = 0; chat < count; chat++) keeper.chatEnded(AGENT)
    clock.advance(3000)
    await settled()
  }

  test('ingests once after a chat, when the agent has stored it', async ({ assert }) => {
    keeper.chatEnded(AGENT)
    clock.advance(2999)
    assert.deepEqual(ingested, [])
    clock.advance(1)
    await settled()
    assert.deepEqual(ingested, ['one'])
    clock.advance(60_000)
    assert.deepEqual(ingested, ['one'])
  })

  test('ingests during chats that never pause, and after the last', async ({ assert }) => {
    for (let second = 0; second < 9; second++) {
      keeper.chatEnded(AGENT)
      assert.equal(clock.backgroundTimers, 1)
      clock.advance(1000)
      await settled()
    }
    assert.lengthOf(ingested, 3)
    clock.advance(3000)
    await settled()
    assert.lengthOf(ingested, 4)
    assert.equal(clock.backgroundTimers, 0)
  })

  test('schedules nothing for an owner without an archive', async ({ assert }) => {
    result = async () => null
    await afterChats(1)
    assert.lengthOf(ingested, 1)
    await afterChats(5)
    assert.lengthOf(ingested, 1)
    assert.equal(clock.backgroundTimers, 0)

    clock.advance(60_000)
    await afterChats(1)
    assert.lengthOf(ingested, 2, 'another replica may have turned it on')
  })

  test('reads what is there once the archive is turned on', async ({ assert }) => {
    result = async () => null
    await afterChats(1)
    keeper.settingsChanged(AGENT)
    clock.advance(3000)
    await settled()
    assert.lengthOf(ingested, 2)
  })

  test('runs once at a time, and once more for chats meanwhile', async ({ assert }) => {
    const running = Promise.withResolvers<number>()
    result = () => running.promise
    await afterChats(1)
    await afterChats(1)
    assert.lengthOf(ingested, 1)
    running.resolve(1)
    await settled()
    clock.advance(3000)
    await settled()
    assert.lengthOf(ingested, 2)
  })

  test('reads once more before a sleep, after the run that has begun', async ({ assert }) => {
    const running = Promise.withResolvers<number>()
    result = () => running.promise
    await afterChats(1)
    const slept = keeper.beforeSleep(AGENT, GATEWAY)
    await settled()
    assert.lengthOf(ingested, 1)
    running.resolve(1)
    await slept
    assert.lengthOf(ingested, 2)
  })

  test('delays no sleep for long, and fails without anyone noticing', async ({ assert }) => {
    const running = Promise.withResolvers<number>()
    result = () => running.promise
    const timers = clock.timers
    const slept = keeper.beforeSleep(AGENT, GATEWAY)
    await until(() => clock.timers > timers)
    clock.advance(10_000)
    await slept
    running.resolve(1)
    assert.deepEqual(warnings, [])

    result = async () => {
      throw new Error('the agent went away')
    }
    await keeper.beforeSleep('user/two', GATEWAY)
    assert.deepEqual(warnings, ['The archive could not be brought up to date'])
  })

  test('has nothing to do with system agents', async ({ assert }) => {
    keeper.chatEnded('system/ops')
    clock.advance(3000)
    await keeper.beforeSleep('system/ops', GATEWAY)
    assert.deepEqual(ingested, [])
  })
  test('does not wait for an agent that never answers, when Mosaic stops', async ({ assert }) => {
    result = () => new Promise(() => {})
    await afterChats(1)
    const closed = keeper.close()
    assert.isTrue(interruption!.aborted)
    await settled()
    clock.advance(10_000)
    await closed
    assert.deepEqual(warnings, [])
  })
})
