import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { createServer as createTcpServer, connect, type AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Conversations } from '#chat/conversations'
import { E_PICTURE_NOT_FOUND } from '#chat/errors'
import { Pictures } from '#chat/pictures'
import { EventStream } from '#http/event_stream'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { GatewayClient } from '#openclaw/gateway_client'
import { GatewayControl } from '#openclaw/gateway_control'
import { callGateway } from '#openclaw/gateway_socket'
import { RunEvents } from '#openclaw/run_events'
import { RunSocket } from '#openclaw/run_socket'
import { relaySocket } from '#runtimes/gateway_socket_relay'
import { SocketGateway } from '#tests/doubles/socket_gateway'

const MB = 1024 * 1024
const TIMEOUT_MS = 60_000

/** Values of every type, in place of a text, a number or an object. */
const ANYTHING: unknown[] = [
  null,
  5,
  'x',
  true,
  [],
  [[]],
  {},
  { length: 2e9 },
  { toString: 1 },
  1e308,
]

/** A list within a list, this many times. */
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** Turns of the event loop until nothing that is ready has to wait any longer. */
async function settle(turns = 2000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn()
}

test.group('Security | an agent whose gateway answers with masses', (group) => {
  let gateway: SocketGateway
  const client = new GatewayClient(TIMEOUT_MS)

  group.each.setup(async () => {
    gateway = await new SocketGateway().start()
    return () => gateway.stop()
  })
  group.each.timeout(TIMEOUT_MS)

  const history = () => client.history(gateway.url, 'token', 'web:c')
  const answerHistory = (text: string) => {
    gateway.http = (_, response) => response.end(text)
  }
  const conversations = (parts = {}) =>
    new Conversations(
      {
        peek: () => ({ url: gateway.url, token: 'token' }),
        running: async () => ({ url: gateway.url, token: 'token' }),
        ensureRunning: async () => ({ url: gateway.url, token: 'token' }),
        isNew: async () => false,
        invalidate: () => {},
        rollout: () => null,
      },
      { begin: () => () => {} },
      client,
      async () => {},
      parts
    )
  /** Answers each page of a conversation with these messages, and counts the pages. */
  const answerPages = (messages: object[]) => {
    const told = { pages: 0 }
    const text = JSON.stringify({ messages, hasMore: true, nextCursor: 'older' })
    gateway.http = (_, response) => {
      told.pages++
      response.end(text)
    }
    return told
  }

  test('is asked for long messages until there is enough of them', async ({ assert }) => {
    const row = (id: number) => ({
      role: 'assistant',
      content: 'cut',
      __openclaw: { id: `m${id}`, truncated: true },
    })
    answerHistory(JSON.stringify({ messages: Array.from({ length: 100 }, (_, id) => row(id)) }))
    const content = 'x'.repeat(2_000_000)
    gateway.answer = () => ({ message: { role: 'assistant', content } })
    const { messages } = (await history())!
    assert.lengthOf(messages, 100)
    assert.isAtMost(gateway.calls.length, 6)
    assert.equal(messages.at(-1)!.text, content)
    assert.equal(messages[0].text, 'cut')
  })

  test('gets its list cut to what a list shows, and so much of it and no more', async ({
    assert,
  }) => {
    const session = (at: number) => ({
      ...{ key: `agent:main:web:c${at}`, label: 'x'.repeat(2000), derivedTitle: 'x'.repeat(2000) },
      ...{ lastMessagePreview: 'x'.repeat(2000), modelOverrideSource: 'user' },
      ...{ modelProvider: 'x'.repeat(600), model: 'x'.repeat(600) },
    })
    const sessions = Array.from({ length: 200 }, (_, at) => session(at))
    gateway.answer = () => ({ sessions, hasMore: true, nextOffset: 1 })
    const listed = await client.sessions(gateway.url, 'token')
    assert.isBelow(listed.length, 1200)
    for (const { title, preview, model } of listed) {
      assert.deepEqual([title?.length, preview?.length, model], [200, 300, undefined])
    }
  })

  test('is waited for once and not for each long message, which stay cut then', async ({
    assert,
  }) => {
    const __openclaw = { id: 'm', truncated: true }
    const messages = Array(100).fill({ role: 'assistant', content: 'cut', __openclaw })
    answerHistory(JSON.stringify({ messages }))
    gateway.answer = ({ method }) => (method === 'chat.message.get' ? undefined : {})
    const hasty = new GatewayClient(1000)
    const read = (await hasty.history(gateway.url, 'token', 'web:c'))!
    assert.deepEqual(new Set(read.messages.map(({ text }) => text)), new Set(['cut']))
    assert.isAtMost(gateway.calls.length, 3)
  }).timeout(20_000)

  test('gets as many conversations listed as it was asked for, and none with an endless title', async ({
    assert,
  }) => {
    const sessions = Array.from({ length: 5000 }, (_, at) => ({
      key: `agent:main:web:c${at}`,
      label: 'x'.repeat(at === 0 ? MB : 10),
    }))
    gateway.answer = () => ({ sessions, hasMore: false })
    const listed = await client.sessions(gateway.url, 'token')
    assert.lengthOf(listed, 200)
    assert.isNull(listed.find(({ key }) => key === 'web:c0')!.title)
  })

  const empty = (length: number) =>
    Array.from({ length }, () => ({ role: 'user', content: [{ type: 'image', artifactId: 'a' }] }))

  test('has so much of a conversation exported and no more: {0}')
    .with([
      ['texts', () => [{ role: 'user', content: 'x'.repeat(5_000_000) }]],
      ['names', () => [{ role: 'assistant', content: `MEDIA:${'x'.repeat(5_000_000)}` }]],
      ['short names', () => [{ role: 'assistant', content: 'MEDIA:x\n'.repeat(20_000) }]],
      ['messages without text', () => empty(20_000)],
    ] as [string, () => object[]][])
    .run(async ({ assert }, [, messages]) => {
      const told = answerPages(messages())
      await conversations().markdown('user/u', 'c')
      assert.isAtMost(told.pages, 7)
    })

  test('has its conversation exported for a minute and no longer', async ({ assert }) => {
    const told = answerPages([{ role: 'user', content: 'Hello' }])
    const clock = { elapsed: () => told.pages * 25_000 }
    const document = await conversations({ clock }).markdown('user/u', 'c')
    assert.equal(told.pages, 3)
    assert.include(document, 'Earlier messages are left out')
  })

  test('is asked for its titles once in an export, not for each page', async ({ assert }) => {
    answerPages([{ role: 'user', content: 'Hello' }])
    await conversations().markdown('user/u', 'c')
    assert.lengthOf(gateway.calls, 1)
  })

  test('has one long conversation read at a time', async ({ assert }) => {
    const piece = 'x'.repeat(10 * MB)
    answerHistory(JSON.stringify({ messages: [{ role: 'user', content: piece }] }))
    const answers = await Promise.allSettled(Array.from({ length: 8 }, history))
    const read = answers.filter(({ status }) => status === 'fulfilled')
    assert.isAtLeast(read.length, 1)
    assert.isBelow(read.length, 8)
    assert.isNotNull(await history())
  })

  for (const [what, text] of [
    ['nested deeply', `{"messages": [{"role": "user", "content": ${nested(100_000)}}]}`],
    ['masses of empty values', `{"messages": [${'{},'.repeat(2 * MB)}{}]}`],
  ]) {
    test(`is not understood if it sends ${what}`, async ({ assert }) => {
      answerHistory(text)
      await assert.rejects(history, E_GATEWAY_FAILED.message as string)
      const { url } = gateway
      const document = () => new GatewayControl().document({ url, token: 'token' })
      await assert.rejects(document, E_GATEWAY_FAILED.message as string)
    })
  }

  test('is hung up on if its socket sends masses of empty values', async ({ assert }) => {
    gateway.answer = () => `[${'{},'.repeat(MB)}{}]`
    const call = { url: gateway.url, token: 'token', timeoutMs: TIMEOUT_MS }
    await assert.rejects(() => callGateway(call, 'm', {}), E_GATEWAY_FAILED.message as string)
  })

  test('is offered no compression, which would hide the size of a message', async ({ assert }) => {
    await client.sessions(gateway.url, 'token')
    const [{ headers }] = gateway.upgrades
    assert.equal(headers.upgrade, 'websocket')
    assert.isUndefined(headers['sec-websocket-extensions'])
  })

  test('is called so many times at once and no more', async ({ assert }) => {
    gateway.answer = () => ({})
    const call = { url: gateway.url, token: 'token', timeoutMs: TIMEOUT_MS }
    const all = Array.from({ length: 40 }, () => callGateway(call, 'm', {}))
    const answers = await Promise.allSettled(all)
    assert.lengthOf(
      answers.filter(({ status }) => status === 'fulfilled'),
      16
    )
    await callGateway(call, 'm', {})
  })

  for (const [when, method] of [
    ['before it lets anyone follow one', 'sessions.messages.subscribe'],
    ['before it says that one has begun', 'agent'],
    ['before it tells of the one under way', 'chat.history'],
  ]) {
    test(`is hung up on if it sends masses of a run's events ${when}`, async ({ assert }) => {
      const text = 'x'.repeat(MB)
      const payload = { sessionKey: 'agent:main:web:c', stream: 'assistant', data: { text } }
      gateway.answer = (call) => {
        if (call.method === method) for (let at = 0; at < 24; at++) gateway.push('agent', payload)
        return {}
      }
      const follow = async () => {
        const socket = await RunSocket.open({ url: gateway.url, token: 'token' }, 'web:c')
        await socket.start('hello')
        await socket.join()
        return socket
      }
      await assert.rejects(follow)
    })
  }

  test('has the events of a run wait for their reader, and those of other sessions not', async ({
    assert,
  }) => {
    const told = (sessionKey: string, text: string) =>
      gateway.push('agent', { sessionKey, runId: 'r', stream: 'assistant', data: { text } })
    gateway.answer = ({ method }) => {
      if (method !== 'chat.history') return {}
      for (let at = 0; at < 24; at++) told('agent:main:web:other', 'x'.repeat(MB))
      told('agent:main:web:c', 'Hello')
      return { inFlightRun: { runId: 'r' } }
    }
    const socket = await RunSocket.open({ url: gateway.url, token: 'token' }, 'web:c')
    await socket.join()
    const answers: unknown[] = []
    socket.read({ onRun() {}, onAnswer: (event) => answers.push(event), onClose() {} })
    assert.deepEqual(answers, [{ kind: 'text', text: 'Hello' }])
    socket.close()
  })

  test('is hung up on if it sends interim responses without an end', async ({
    assert,
    cleanup,
  }) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)
      const more = () => {
        while (!socket.destroyed && socket.write(interim));
      }
      socket.on('drain', more)
      socket.once('data', more)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    cleanup(() => void server.close())
    const { port } = server.address() as AddressInfo
    const error = await client
      .history(`http://127.0.0.1:${port}`, 'token', 'web:c')
      .catch(({ cause }) => cause)
    assert.match(String(error), /does not come to its answer/)
  })
})

test.group('Security | an agent whose gateway answers with other types', (group) => {
  let gateway: SocketGateway
  const client = new GatewayClient(TIMEOUT_MS)

  group.each.setup(async () => {
    gateway = await new SocketGateway().start()
    return () => gateway.stop()
  })

  test('has its conversations read all the same', async ({ assert }) => {
    const fields = ['role', 'content', 'timestamp', 'toolCallId', 'provider', 'model', '__openclaw']
    const rows = ANYTHING.flatMap((value) => [
      value,
      ...fields.map((field) => ({ role: 'assistant', content: 'said', [field]: value })),
      ...['type', 'text', 'thinking', 'id', 'arguments', 'artifactId'].map((field) => ({
        role: 'assistant',
        content: [{ type: 'text', text: 'said', [field]: value }],
      })),
    ])
    for (const messages of [rows, ...ANYTHING]) {
      gateway.http = (_, response) => {
        response.end(JSON.stringify({ messages, hasMore: true, nextCursor: {} }))
      }
      const read = (await client.history(gateway.url, 'token', 'web:c'))!
      assert.isNull(read.nextCursor)
      for (const { id, text, at } of read.messages) {
        assert.isString(id)
        assert.isString(text)
        assert.doesNotThrow(() => at.toISOString())
      }
    }
  })

  test('has them listed all the same', async ({ assert }) => {
    const fields = ['key', 'label', 'lastMessagePreview', 'updatedAt', 'modelProvider', 'pinned']
    const sessions = ANYTHING.flatMap((value) => [
      value,
      ...fields.map((field) => ({ key: 'agent:main:web:c', [field]: value })),
    ])
    for (const answer of [
      { sessions },
      ...ANYTHING,
      ...ANYTHING.map((one) => ({ sessions: one })),
    ]) {
      gateway.answer = () => JSON.stringify(answer)
      for (const { title, updatedAt } of await client.sessions(gateway.url, 'token')) {
        assert.isTrue(title === null || typeof title === 'string')
        assert.doesNotThrow(() => updatedAt.toISOString())
      }
    }
  })

  test('has no picture', async ({ assert }) => {
    const access = { url: gateway.url, token: 'token' }
    const waker = {
      peek: () => access,
      ensureRunning: async () => access,
      invalidate() {},
      isNew: async () => false,
    }
    const pictures = new Pictures(waker, callGateway)
    for (const data of ANYTHING) {
      gateway.answer = () => ({
        ...{ encoding: 'base64', data },
        file: { encoding: 'base64', content: data },
      })
      for (const name of [{ artifact: 'a' }, { path: 'a.png' }]) {
        const error = await pictures.read('user/u', 'c', name).catch((thrown) => thrown)
        assert.instanceOf(error, E_PICTURE_NOT_FOUND)
      }
    }
  })

  test('has nothing of it in the events of a run', ({ assert }) => {
    const events = new RunEvents('k')
    const streams = ['thinking', 'item', 'command_output', 'lifecycle', 'assistant']
    const fields = ['delta', 'toolCallId', 'name', 'meta', 'output', 'startedAt', 'mediaUrls']
    for (const value of ANYTHING) {
      for (const stream of streams) {
        for (const field of fields) {
          const usual = {
            kind: 'tool',
            toolCallId: 't',
            output: 'o',
            phase: 'model',
            provider: value,
          }
          const data = { ...usual, model: value, [field]: value }
          const event = events.read({
            event: 'agent',
            payload: { sessionKey: 'k', stream, ts: value, data },
          })
          for (const [name, told] of Object.entries(event ?? {})) {
            const isNumber = name === 'elapsedMs' && Number.isFinite(told)
            const isPlain = ['string', 'boolean'].includes(typeof told) || Array.isArray(told)
            assert.isTrue(isNumber || isPlain, `${stream} ${field} ${name}`)
          }
        }
      }
      for (const field of ['id', 'presentation', 'expiresAtMs', 'status']) {
        const approval = { id: 'a', presentation: { kind: 'exec' }, [field]: value }
        const payload = { sessionKey: 'k', approval }
        assert.doesNotThrow(() => events.read({ event: 'session.approval', payload }))
      }
    }
  })
})

test.group('Security | an agent that sends faster than anyone reads', () => {
  test('is not read while it does not read', async ({ assert, cleanup }) => {
    let sent = 0
    const gateway = new Duplex({
      read() {
        sent += 64 * 1024
        this.push(Buffer.alloc(64 * 1024, 'p'))
      },
      write() {
        // It never takes what it is sent.
      },
    })
    const { url, close } = await relaySocket(gateway)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\n\r\n')
    /** Answers each piece, as a client answers pings. */
    socket.on('data', (piece) => socket.write(piece))
    cleanup(() => (socket.destroy(), close()))
    await settle()
    assert.isAtMost(sent, MB)
  })

  test('is read a little at a time', async ({ assert, cleanup }) => {
    const gateway = new Duplex({
      read() {
        this.push(Buffer.alloc(MB, 'p'))
      },
      write: (_chunk, _encoding, done) => done(),
    })
    const { url, close } = await relaySocket(gateway)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    cleanup(() => (socket.destroy(), close()))
    const sizes: number[] = []
    socket.on('data', ({ length }) => sizes.push(length))
    await settle()
    assert.isAbove(sizes.length, 10)
    assert.isAtMost(Math.max(...sizes), 64 * 1024)
  })

  test('does not fill the memory for a client that does not read', async ({ assert, cleanup }) => {
    const closed = Promise.withResolvers<number>()
    const event = 'x'.repeat(64 * 1024)
    const server = createServer((_, response) => {
      const stream = new EventStream(response, { openAfterMs: 1000, heartbeatMs: 1000 })
      let written = 0
      response.once('close', () => (stream.release(), closed.resolve(written)))
      const more = () => {
        if (response.destroyed || written > 200 * MB) return closed.resolve(written)
        written += event.length
        stream.event('tool', event)
        setImmediate(more)
      }
      more()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const request = get({ port: (server.address() as AddressInfo).port })
    request.on('error', () => {})
    request.once('response', (response: IncomingMessage) => response.on('error', () => {}).pause())
    cleanup(() => (request.destroy(), void server.close()))
    assert.isBelow(await closed.promise, 64 * MB)
  }).timeout(TIMEOUT_MS)
})
