import { test } from '@japa/runner'
import { upstreamUrl } from '#llm_relay/upstream_url'

test.group('The address of a call at its provider', () => {
  const base = 'https://api.example.com/v1'

  test('is below the base address, with the query', ({ assert }) => {
    assert.equal(upstreamUrl(base, '/chat/completions?a=b%20c'), `${base}/chat/completions?a=b%20c`)
    assert.equal(
      upstreamUrl('http://127.0.0.1:11434', '/api/chat'),
      'http://127.0.0.1:11434/api/chat'
    )
  })

  test('never leaves it', ({ assert }) => {
    for (const rest of ['/../admin', '/%2e%2e/admin', '/x/../../v2', '/\\..\\..\\admin', '/..']) {
      assert.isNull(upstreamUrl(base, rest), rest)
    }
    assert.equal(upstreamUrl(base, '//evil.example.com'), `${base}//evil.example.com`)
    assert.isNull(upstreamUrl('https://api.example.com', '@evil.example.com/'))
  })
})
