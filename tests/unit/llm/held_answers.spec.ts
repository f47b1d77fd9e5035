import { test } from '@japa/runner'
import { HeldBytes } from '#bounded/held_bytes'
import { OllamaAdapter } from '#llm/adapters/ollama'
import { E_LLM_ANSWERS_FULL } from '#llm/errors'
import { heldBody, whileHeld } from '#llm/held_answers'

const { signal } = new AbortController()
const connection = {
  ...{ baseUrl: 'http://service.test', apiKey: null, models: [] },
  apiType: 'ollama' as const,
}
const models = JSON.stringify({ models: [{ name: 'a' }] })

test.group('Answers of services that are being read', () => {
  test('count until their call ends, as it may', async ({ assert }) => {
    const held = new HeldBytes({ ofOne: 100, ofAll: 100 })
    const fetch = async () => new Response(models)
    const read = whileHeld(
      'user/u',
      fetch,
      async (counted) => {
        const tested = await new OllamaAdapter().testConnection(connection, {
          fetch: counted,
          signal,
        })
        assert.isAtLeast(held.bytes, models.length)
        return tested
      },
      held
    )
    assert.isTrue((await read).ok)
    assert.equal(held.bytes, 0)
  })

  test('are refused beyond what one may hold, whatever their adapter makes of it', async ({
    assert,
  }) => {
    const held = new HeldBytes({ ofOne: 10, ofAll: 100 })
    let isStopped = false
    const body = new ReadableStream({
      pull: (stream) => stream.enqueue(Buffer.from(models)),
      cancel: () => void (isStopped = true),
    })
    const read = () =>
      whileHeld(
        'user/u',
        async () => new Response(body),
        (fetch) => new OllamaAdapter().testConnection(connection, { fetch, signal }),
        held
      )
    await assert.rejects(read, E_LLM_ANSWERS_FULL.message)
    assert.isTrue(isStopped)
    assert.equal(held.bytes, 0)
  })

  test('count as a body until it is read, or its reader leaves', async ({ assert }) => {
    const held = new HeldBytes({ ofOne: 10, ofAll: 100 })
    const reader = new AbortController()
    const one = heldBody('user/u', Buffer.from('answer'), reader.signal, held)
    assert.throws(() => heldBody('user/u', Buffer.from('answer'), signal, held))
    assert.equal(Buffer.concat(await one.toArray()).toString(), 'answer')
    assert.equal(held.bytes, 0)
    const other = heldBody('user/u', Buffer.from('answer'), reader.signal, held)
    reader.abort()
    await new Promise((resolve) => other.once('close', resolve))
    assert.equal(held.bytes, 0)
  })

  test('are malformed if they have masses of empty values', async ({ assert }) => {
    const text = `{"models":[${'[],'.repeat(2_600_000)}[]]}`
    const fetch = async () => new Response(text)
    const tested = await new OllamaAdapter().testConnection(connection, { fetch, signal })
    assert.containsSubset(tested, { ok: false, reason: 'bad_response' })
  })
})
