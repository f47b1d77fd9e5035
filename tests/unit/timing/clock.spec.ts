import { getEventListeners } from 'node:events'
import { test } from '@japa/runner'
import { systemClock } from '#timing/clock'

test.group("The machine's clock", () => {
  test("rejects with the signal's own reason", async ({ assert }) => {
    const reason = new Error('The agent is gone')
    const leaving = new AbortController()
    const waited = systemClock.wait(3_600_000, leaving.signal)
    leaving.abort(reason)
    assert.strictEqual(await waited.catch((error) => error), reason)
    assert.isEmpty(getEventListeners(leaving.signal, 'abort'))
    const late = systemClock.wait(0, AbortSignal.abort(reason))
    assert.strictEqual(await late.catch((error) => error), reason, 'one that aborted before')
  })

  test('lets go of the signal once it has waited', async ({ assert }) => {
    const { signal } = new AbortController()
    await systemClock.wait(1, signal)
    await systemClock.wait(1)
    assert.isEmpty(getEventListeners(signal, 'abort'))
  })
})
