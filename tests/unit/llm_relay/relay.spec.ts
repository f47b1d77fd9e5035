import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Agent } from 'undici'
import { LoggerFactory } from '@adonisjs/core/factories/logger'
import type { LlmAdapter } from '#llm/contract'
import { LlmRelay, type AgentCall, type RelayDeadlines } from '#llm_relay/relay'
import { ProviderFailures } from '#llm_relay/provider_failures'
import type { RelayTargets } from '#llm_relay/relay_targets'
import { LoopbackProvider, json } from '#tests/functional/llm_relay/loopback_provider'

const KEY = 'sk-canary-77aa01'

test.group('The LLM relay', (group) => {
  let upstream: LoopbackProvider
  let dispatcher: Agent
  let logs: string[]
  const failures = new ProviderFailures()

  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    dispatcher = new Agent()
    logs = []
    return async () => {
      await dispatcher.destroy()
      await upstream.stop()
    }
  })

  function relay(deadlines: Partial<RelayDeadlines> = {}, known = failures) {
    const target = {
      agent: 'user/u1' as const,
      provider: { id: 'p1', name: 'work', isActive: true },
      adapter: {
        headers: (headers) => headers.set('x-acme-version', '7'),
        authorize: (headers, key) => headers.set('authorization', `Bearer ${key}`),
      } as LlmAdapter,
      calls: [{ method: 'POST' as const, path: '/chat/completions' }],
      baseUrl: upstream.url,
      apiKey: KEY,
    }
    const targets = { find: async () => target } as unknown as RelayTargets
    const logger = new LoggerFactory()
      .merge({ enabled: true, level: 'trace' })
      .pushLogsTo(logs)
      .create()
    return new LlmRelay(
      targets,
      known,
      async () => dispatcher,
      logger,
      () => {},
      { at: async () => ({ ok: false, reason: 'not_found', message: 'None.' }) },
      deadlines
    )
  }

  function call(): AgentCall {
    return {
      token: 'token-canary-1',
      providerId: 'p1',
      method: 'POST',
      rest: '/chat/completions',
      headers: { 'content-type': 'application/json' },
      body: Readable.from([Buffer.from('{"prompt":"prompt-canary-1"}')]),
      signal: new AbortController().signal,
    }
  }

  test('adds the headers of the adapter beside the key', async ({ assert }) => {
    await relay().answer(call())
    const { headers } = upstream.calls[0]
    assert.include(headers, { 'x-acme-version': '7', 'authorization': `Bearer ${KEY}` })
  })

  test('tells the other replicas why a provider failed before the agent can', async ({
    assert,
  }) => {
    upstream.reply = json(429, { error: { message: 'Slow down.' } })
    const order: string[] = []
    const others = {
      write: async () => {
        await setImmediate()
        order.push('told')
      },
      read: async () => null,
    }
    const answer = relay({}, new ProviderFailures(undefined, others)).answer(call())
    await answer.then(() => order.push('answered'))
    assert.deepEqual(order, ['told', 'answered'])
  })

  test('gives up on a provider that is silent, and on one that only sends headers', async ({
    assert,
  }) => {
    upstream.reply = () => {}
    const silent = await relay({ firstByteMs: 50 }).answer(call())
    assert.equal(silent.status, 404)
    assert.equal(failures.last('user/u1')!.message, 'work did not answer in time.')

    upstream.reply = (response) => response.writeHead(200).flushHeaders()
    const headersOnly = await relay({ firstByteMs: 50 }).answer(call())
    assert.equal(headersOnly.status, 404)
  })

  test('does not cut a stream that goes on for longer than the first byte may take', async ({
    assert,
  }) => {
    const { promise: passed, resolve: pass } = Promise.withResolvers<void>()
    upstream.reply = async (response) => {
      response.writeHead(200).write('one')
      await passed
      response.end('two')
    }
    const { body } = await relay({ firstByteMs: 500 }).answer(call())
    setTimeout(pass, 600)
    assert.equal(await text(body as Readable), 'onetwo')
  })

  test('ends a stream that stalls', async ({ assert }) => {
    upstream.reply = (response) => response.writeHead(200).write('one')
    const { body } = await relay({ idleMs: 50 }).answer(call())
    await assert.rejects(async () => {
      for await (const chunk of body) assert.exists(chunk)
    })
    assert.equal(failures.last('user/u1')!.reason, 'timeout')
  })

  test('does not read ahead of an agent that reads slowly', async ({ assert }) => {
    const written = { bytes: 0 }
    const piece = Buffer.alloc(64 * 1024)
    const full = Promise.withResolvers<void>()
    upstream.reply = (response) => {
      response.writeHead(200)
      const write = () => {
        while (written.bytes < 256 * 1024 * 1024) {
          written.bytes += piece.length
          if (!response.write(piece)) return full.resolve()
        }
      }
      response.on('drain', write)
      write()
    }
    const { body } = await relay().answer(call())
    await full.promise
    assert.isBelow(written.bytes, 32 * 1024 * 1024)
    ;(body as Readable).destroy()
  })

  test('writes neither keys, tokens nor prompts into the log', async ({ assert }) => {
    upstream.reply = (response) => response.writeHead(401).end(`{"error":"${KEY} is wrong"}`)
    await relay().answer(call())
    upstream.reply = (response) => response.socket!.resetAndDestroy()
    await relay().answer(call())
    assert.lengthOf(logs, 2)
    assert.notMatch(logs.join(), /canary/)
  })
})
