import { test } from '@japa/runner'
import { backOffMs } from '#agents/state/retry_policy'
import { DeadlineExceeded, within } from '#timing/deadline'
import { Scheduler } from '#agents/background/scheduler'
import { WakeDurations } from '#agents/waking/wake_durations'
import { TestClock, until } from '#tests/doubles/test_clock'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test.group('Timing of agents', () => {
  test('the wait after a failure doubles up to five minutes, half of it by chance', ({
    assert,
  }) => {
    assert.equal(
      backOffMs(1, () => 0),
      2500
    )
    assert.equal(
      backOffMs(1, () => 0.9999),
      5000
    )
    assert.equal(
      backOffMs(3, () => 0),
      10_000
    )
    assert.equal(
      backOffMs(60, () => 0.9999),
      299_985
    )
  })

  test('what wakes usually take is their median, of the last ones, by runtime', ({ assert }) => {
    const times = new WakeDurations()
    assert.isNull(times.usual('process'))
    for (const ms of [10, 1000, 30, 20, 25]) times.add('process', ms)
    assert.equal(times.usual('process'), 25)
    assert.isNull(times.usual('docker'))
    for (let wake = 0; wake < 20; wake++) times.add('process', 7)
    assert.equal(times.usual('process'), 7)
  })

  test('a deadline ends the wait, and tells the work to give up', async ({ assert }) => {
    const clock = new TestClock()
    let told: unknown
    const call = within(clock, 100, undefined, (signal) => {
      signal.addEventListener('abort', () => (told = signal.reason))
      return new Promise(() => {})
    })
    clock.advance(100)
    await assert.rejects(() => call, DeadlineExceeded as never)
    assert.instanceOf(told, DeadlineExceeded)
  })

  test('work that is done in time leaves no timer behind', async ({ assert }) => {
    const clock = new TestClock()
    const outer = new AbortController()
    assert.equal(await within(clock, 100, outer.signal, async () => 'done'), 'done')
    assert.equal(clock.timers, 0)
    await assert.rejects(() =>
      within(clock, 100, AbortSignal.abort(new Error('gone')), async () => 'done')
    )
  })

  test('the scheduler never runs a task beside itself, and goes on after a failure', async ({
    assert,
  }) => {
    const clock = new TestClock()
    const runs: boolean[] = []
    let held = Promise.withResolvers<void>()
    const scheduler = new Scheduler({ clock, logger: silent }, [
      {
        name: 'task',
        everyMs: 1000,
        atStart: true,
        run: async (first) => {
          runs.push(first)
          await held.promise
          throw new Error('it fails')
        },
      },
    ])
    scheduler.start()
    clock.advance(10_000)
    assert.deepEqual(runs, [true])

    held.resolve()
    await until(() => clock.backgroundTimers === 1)
    held = Promise.withResolvers()
    clock.advance(1000)
    assert.deepEqual(runs, [true, false])

    const stopped = scheduler.stop()
    held.resolve()
    await stopped
    assert.equal(clock.backgroundTimers, 0)
  })

  test('a task that does not begin at the start waits for its turn', async ({ assert }) => {
    const clock = new TestClock()
    let runs = 0
    const run = async () => ({ runs: ++runs })
    const scheduler = new Scheduler({ clock, logger: silent }, [
      { name: 'task', everyMs: 1000, run },
    ])
    scheduler.start()
    assert.equal(runs, 0)
    clock.advance(1000)
    assert.equal(runs, 1)
    await scheduler.stop()
    clock.advance(5000)
    assert.equal(runs, 1)
  })
})
