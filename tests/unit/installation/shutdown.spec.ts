import { test } from '@japa/runner'
import { Shutdown } from '#installation/shutdown'
import { TestClock } from '#tests/doubles/test_clock'

const TIMING = { noticeMs: 2000, drainMs: 10_000 }

test.group('Shutdown', () => {
  test('gives the whole drain after the notice, and one deadline to all', async ({ assert }) => {
    const clock = new TestClock()
    const shutdown = new Shutdown(clock, TIMING)
    await shutdown.begin()
    assert.equal(shutdown.remainingMs, 10_000)
    clock.advance(4000)
    assert.equal(shutdown.remainingMs, 6000)
    clock.advance(60_000)
    assert.equal(shutdown.remainingMs, 0)
  })

  test('gives the whole drain where no notice was given, as in a command', ({ assert }) => {
    assert.equal(new Shutdown(new TestClock(), TIMING).remainingMs, 10_000)
  })
})
