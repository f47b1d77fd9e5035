import { test } from '@japa/runner'
import { GatewayClient } from '#openclaw/gateway_client'
import { toMessage, toSession } from '#openclaw/gateway_shapes'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

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
    gateway.reply = json(200, {
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
    })
    assert.deepEqual(await client.history(gateway.url, 'token', 'c/1', { limit: 5 }), {
      messages: [
        { id: 'm1', role: 'user', text: 'Hi', at: new Date(1000) },
        { id: '3', role: 'assistant', text: 'Hello', at: new Date(3000) },
      ],
      nextCursor: 'older',
    })
    assert.equal(gateway.calls[0].url, '/sessions/agent%3Amain%3Ac%2F1/history?limit=5')
    assert.equal(gateway.calls[0].headers.authorization, 'Bearer token')
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
      preview: null,
      updatedAt: new Date(5),
    })
    assert.isNull(toMessage({ role: 'system', content: 'x' }, 0))
  })
})
