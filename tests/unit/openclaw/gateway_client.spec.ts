import { test } from '@japa/runner'
import { GatewayClient } from '#openclaw/gateway_client'
import { conversationOf } from '#chat/session_key'
import { PRIMER } from '#openclaw/primer_model'
import { storedMessage, toMessages as fromStored } from '#openclaw/gateway_messages'
import { toSession } from '#openclaw/gateway_shapes'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const toMessages = (rows: object[]) => fromStored(rows.map(storedMessage))

test.group('The gateway client', (group) => {
  let gateway: LoopbackProvider
  const client = new GatewayClient(500)

  group.each.setup(async () => {
    gateway = await new LoopbackProvider().start()
    return () => gateway.stop()
  })

  test('calls a gateway ready when it says so, and in no other case', async ({ assert }) => {
    gateway.reply = json(200, {})
    assert.isTrue(await client.probeReady(gateway.url))
    assert.equal(gateway.calls[0].url, '/startupz')
    gateway.reply = json(503, {})
    assert.isFalse(await client.probeReady(gateway.url))
    assert.isFalse(await client.probeReady('http://127.0.0.1:9'))
  })

  test('stops probing when its caller gives up', async ({ assert }) => {
    const asked = Promise.withResolvers<void>()
    gateway.reply = () => asked.resolve()
    const caller = new AbortController()
    const probe = client.probeReady(gateway.url, caller.signal)
    await asked.promise
    caller.abort(new Error('enough'))
    await assert.rejects(() => probe, 'enough')
  })

  test('reads a conversation back as what a person wrote and read', async ({ assert }) => {
    const answer = {
      messages: [
        { role: 'user', content: 'Hi', timestamp: 1000, __openclaw: { id: 'm1' } },
        { role: 'toolResult', content: [{ type: 'text', text: 'secret' }] },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }], timestamp: 2000 },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Hel' },
            { type: 'text', text: 'lo' },
          ],
          timestamp: 3000,
        },
      ],
      hasMore: true,
      nextCursor: 'older',
    }
    gateway.reply = json(200, answer)
    assert.deepEqual(await client.history(gateway.url, 'token', 'c/1', { limit: 5 }), {
      messages: [
        { id: 'm1', role: 'user', text: 'Hi', at: new Date(1000) },
        { id: '3', role: 'assistant', text: 'Hello', at: new Date(3000), reasoning: 'hm' },
      ],
      nextCursor: 'older',
      bytes: JSON.stringify(answer).length,
    })
    assert.equal(gateway.calls[0].url, '/sessions/agent%3Amain%3Ac%2F1/history?limit=5')
    assert.equal(gateway.calls[0].headers.authorization, 'Bearer token')
  })

  test('prewarms with a chat that names the primer, in its own session', async ({ assert }) => {
    gateway.reply = (response) => response.end('data: {"choices":[]}\n\ndata: [DONE]\n\n')
    await client.prewarm(gateway.url, 'token', AbortSignal.timeout(5000))
    const [{ method, url, headers }] = gateway.calls
    assert.equal(`${method} ${url}`, 'POST /v1/chat/completions')
    assert.containsSubset(headers, {
      'authorization': 'Bearer token',
      'x-openclaw-model': PRIMER.model,
      'x-openclaw-session-key': PRIMER.sessionKey,
    })
    assert.isNull(conversationOf(PRIMER.sessionKey))
  })

  test('tells a prewarm that failed, also where the stream says so', async ({ assert }) => {
    const prewarm = () => client.prewarm(gateway.url, 'token', AbortSignal.timeout(5000))
    gateway.reply = (response) => response.end('data: {"error":{"message":"no"}}\n\n')
    await assert.rejects(prewarm, /did not answer/)
    gateway.reply = json(503, {})
    await assert.rejects(prewarm, /did not answer/)
  })

  test('keeps the primer’s session short: a long one would slow each prewarm down', async ({
    assert,
  }) => {
    const asked: string[] = []
    gateway.reply = (response, { url }) => {
      asked.push(url.split('?')[0])
      if (url.startsWith('/sessions/')) return json(200, { hasMore: false })(response, null!)
      response.end('data: [DONE]\n\n')
    }
    const deleted: string[] = []
    const kept = new (class extends GatewayClient {
      override async deleteSession(_url: string, _token: string, key: string) {
        deleted.push(key)
      }
    })()
    const prewarm = () => kept.prewarm(gateway.url, 'token', AbortSignal.timeout(5000))
    await prewarm()
    assert.isEmpty(deleted)
    assert.lengthOf(asked, 2)

    gateway.reply = (response, { url }) => {
      asked.push(url.split('?')[0])
      const long = json(200, { hasMore: true, nextCursor: 'older' })
      if (url.startsWith('/sessions/')) return long(response, null!)
      response.end('data: [DONE]\n\n')
    }
    await prewarm()
    assert.deepEqual(deleted, [PRIMER.sessionKey])
    assert.equal(asked.at(-1), '/v1/chat/completions')
  })

  test('tells a conversation that does not exist from a gateway that fails', async ({ assert }) => {
    gateway.reply = json(404, {})
    assert.isNull(await client.history(gateway.url, 'token', 'c1'))
    gateway.reply = json(500, {})
    await assert.rejects(() => client.history(gateway.url, 'token', 'c1'), /did not answer/)
    await assert.rejects(() => client.sessions('http://127.0.0.1:9', 'token'), /did not answer/)
  })

  test('knows the agent’s own conversations from other sessions', ({ assert }) => {
    assert.isNull(toSession({ key: 'global' }))
    assert.deepEqual(toSession({ key: 'agent:main:c1', derivedTitle: 'Parrots', updatedAt: 5 }), {
      key: 'c1',
      title: 'Parrots',
      pinned: false,
      preview: null,
      updatedAt: new Date(5),
    })
    for (const derivedTitle of ['c1', 'agent:main:c1']) {
      assert.isNull(toSession({ key: 'agent:main:c1', derivedTitle })!.title)
    }
    assert.isEmpty(toMessages([{ role: 'system', content: 'x' }]))
  })
})
