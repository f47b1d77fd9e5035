import { test } from '@japa/runner'
import { retryAfter } from '#llm_relay/retry_after'

const now = () => Date.parse('2026-03-01T12:00:00Z')

test.group('What a provider says of its next call', () => {
  test('{0} is {1}')
    .with([
      ['17', 17],
      ['0.2', 1],
      ['0', 1],
      ['Sun, 01 Mar 2026 12:00:30 GMT', 30],
      ['Sun, 01 Mar 2026 11:00:00 GMT', 1],
      ['999999999', 86_400],
      ['soon', undefined],
      ['', undefined],
      [undefined, undefined],
    ] as [string | undefined, number | undefined][])
    .run(({ assert }, [header, seconds]) => assert.equal(retryAfter(header, now), seconds))
})
