import { test } from '@japa/runner'
import { ProviderFailures } from '#llm_relay/provider_failures'
import { TestClock, until } from '#tests/doubles/test_clock'

const LIMITED = { provider: 'work', reason: 'rate_limited' as const, message: 'Slow down.' }
const AGENT = 'user/u1'

test.group('Failures of providers, while other replicas cannot be told', () => {
  for (const [title, work] of [
    ['never answers', () => new Promise<never>(() => {})],
    ['fails', () => Promise.reject(new Error('The database is away.'))],
  ] as const) {
    test(`are kept and looked for without them: their database ${title}`, async ({ assert }) => {
      const clock = new TestClock()
      const failures = new ProviderFailures(clock, { write: work, read: work })
      const since = new Date(clock.now())
      const over: unknown[] = []
      void failures.find(AGENT, since).then((found) => over.push(found))
      await until(() => {
        clock.advance(500)
        return over.length === 1
      })
      assert.deepEqual(over, [null])

      void failures.record(AGENT, LIMITED).then(() => over.push('recorded'))
      await until(() => {
        clock.advance(500)
        return over.length === 2
      })
      assert.containsSubset(await failures.find(AGENT, since), LIMITED)
    })
  }
})
