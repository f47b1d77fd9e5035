import { once } from 'node:events'
import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import { createServer, type ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import { linesOf } from '#bounded/lines_of'
import { OpenAiStream } from '#chat/openai_stream'
import { PageStream } from '#chat/page_stream'
import type { EventStream } from '#http/event_stream'
import { limitedText } from '#identity/oidc/limited_text'
import { GatewayClient } from '#openclaw/gateway_client'
import { GatewayControl } from '#openclaw/gateway_control'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { Engine } from '#runtimes/engine/engine'
import { Images } from '#runtimes/engine/images'
import { PullProgress } from '#runtimes/engine/pull_progress'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const MB = 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, ' ')

/** Longer than any of these responses takes to exceed its limit. */
const TIMEOUT_MS = 60_000

/** Writes until the reader closes. */
function pour(to: Writable): void {
  const more = () => {
    while (!to.destroyed && to.write(PIECE));
  }
  to.on('drain', more)
  more()
}

/** Sends blanks, which are valid JSON so far. */
function endless(response: ServerResponse, begin = ''): void {
  response.writeHead(200, { 'content-type': 'application/json' }).write(begin)
  pour(response)
}

const failureOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)

/** An engine that gives every request this response. */
async function endlessEngine(
  cleanup: (callback: () => Promise<void>) => void,
  reply: (response: ServerResponse) => void
): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'mosaic-endless-'))
  const socket = join(folder, 'docker.sock')
  const server = createServer((_, response) => reply(response)).listen(socket)
  await once(server, 'listening')
  cleanup(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  return Engine.at(`unix://${socket}`)
}

/** The response that upgrades a connection to a WebSocket. */
function switched(key: string): string {
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  const headers = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
  return `HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n\r\n`
}

test.group('Security | an agent whose gateway answers without an end', (group) => {
  let gateway: LoopbackProvider
  const client = new GatewayClient(TIMEOUT_MS)
  const control = new GatewayControl(TIMEOUT_MS)

  group.each.setup(async () => {
    gateway = await new LoopbackProvider().start()
    return () => gateway.stop()
  })

  const access = () => ({ url: gateway.url, token: 'token' })
  const asks: [string, () => Promise<unknown>][] = [
    ['a conversation', () => client.history(gateway.url, 'token', 'web:c')],
    ['its document', () => control.document(access())],
    ['the primer', () => client.prewarm(gateway.url, 'token', new AbortController().signal)],
  ]

  test('is hung up on: {0}')
    .with(asks)
    .run(async ({ assert }, [, ask]) => {
      gateway.reply = (response) => endless(response, '{"messages": [')
      const error = await failureOf(ask())
      assert.instanceOf(error, E_GATEWAY_FAILED)
      assert.instanceOf((error as Error).cause, E_INPUT_TOO_LARGE)
      await gateway.abandoned.promise
    })
    .timeout(TIMEOUT_MS)

  test('is hung up on when its headers have no end', async ({ assert, cleanup }) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 200 OK\r\nx-endless: ')
      const more = () => {
        while (!socket.destroyed && socket.write('x'.repeat(PIECE.length)));
      }
      socket.on('drain', more)
      more()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup(() => void server.close())
    const { port } = server.address() as AddressInfo
    const error = await failureOf(client.history(`http://127.0.0.1:${port}`, 'token', 'web:c'))
    assert.match(String((error as Error).cause), /Headers Overflow/)
  })

  test('is asked for so many pages of its jobs and no more', async ({ assert }) => {
    gateway.reply = json(200, { payload: { jobs: [], hasMore: true, nextOffset: 1 } })
    assert.isNull(await control.nextJobAt(access()))
    assert.isAtMost(gateway.calls.length, 50)
  })

  test('is hung up on when a message of its socket is huge', async ({ assert, cleanup }) => {
    const closed = Promise.withResolvers<void>()
    const server = createServer().on('upgrade', (request, socket) => {
      socket.on('error', () => {})
      socket.once('close', closed.resolve)
      socket.resume()
      socket.write(switched(request.headers['sec-websocket-key']!))
      // Header of a text message of one gigabyte.
      socket.write(Buffer.from([0x81, 0x7f, 0, 0, 0, 0, 0x40, 0, 0, 0]))
      pour(socket)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    cleanup(() => void server.close())
    const { port } = server.address() as AddressInfo
    const error = await failureOf(client.sessions(`http://127.0.0.1:${port}`, 'token'))
    assert.instanceOf(error, E_GATEWAY_FAILED)
    await closed.promise
  }).timeout(TIMEOUT_MS)
})

test.group('Security | an agent that streams without an end', () => {
  const flow = { pause: () => {}, resume: () => {} }
  const written: Buffer[] = []
  const stream = {
    /** In Latin-1, one character for each byte. */
    write: (events: string) => written.push(Buffer.from(events, 'latin1')) > 0,
    event: () => true,
    drained: () => {},
    end: () => {},
  } as unknown as EventStream

  const page = () => new PageStream(stream, 'c')

  /** Returns how many bytes were accepted before it threw. */
  function takenBy(answer: { receive(chunk: Buffer): void }, piece: Buffer, most = 64 * MB) {
    let taken = 0
    try {
      for (; taken < most; taken += piece.length) answer.receive(piece)
    } catch (error) {
      return { taken, error }
    }
    return { taken, error: null }
  }

  test('no line of an event stream is kept that has no end', ({ assert }) => {
    const answer = page()
    answer.begin(200, {}, flow)
    answer.receive(Buffer.from('data: "'))
    const { taken, error } = takenBy(answer, PIECE)
    assert.instanceOf(error, E_INPUT_TOO_LARGE)
    assert.isAtMost(taken, 5 * MB)
  })

  test('no event is kept that has no end', ({ assert }) => {
    const answer = page()
    answer.begin(200, {}, flow)
    const { taken, error } = takenBy(answer, Buffer.from(`data: ${'x'.repeat(1000)}\n`))
    assert.instanceOf(error, E_INPUT_TOO_LARGE)
    assert.isAtMost(taken, 5 * MB)
  })

  test('no error is read that has no end', ({ assert }) => {
    const answer = page()
    answer.begin(500, {}, flow)
    const { taken, error } = takenBy(answer, PIECE)
    assert.isNotNull(error)
    assert.isAtMost(taken, 128 * 1024)
  })

  test('an event in pieces of one byte is handed on in parts', ({ assert }) => {
    written.length = 0
    const answer = new OpenAiStream(stream)
    answer.begin(200, {}, flow)
    assert.isNull(takenBy(answer, Buffer.from('x'), MB).error)
    assert.isAbove(written.length, 2)
    assert.isAtMost(Math.max(...written.map(({ length }) => length)), 300 * 1024)
  })

  test('an event is handed on whole, wherever its pieces are cut', ({ assert }) => {
    const event = (word: string) => `data: {"choices":[{"delta":{"content":"${word}"}}]}\n\n`
    const events = Buffer.from(event('é') + event('b'))
    for (let size = 1; size <= events.length; size++) {
      written.length = 0
      const answer = new OpenAiStream(stream)
      answer.begin(200, {}, flow)
      for (let at = 0; at < events.length; at += size) {
        answer.receive(events.subarray(at, at + size))
      }
      assert.isTrue(Buffer.concat(written).equals(events))
      for (const one of written) assert.match(one.toString(), /\n\n$/)
    }
  })
})

test.group('Security | others that answer without an end', () => {
  test('an OpenID provider is hung up on', async ({ assert, cleanup }) => {
    const provider = await new LoopbackProvider().start()
    cleanup(() => provider.stop())
    provider.reply = (response) => endless(response)
    const answer = await fetch(provider.url)
    await assert.rejects(() => limitedText(answer), /larger than 512 KB/)
    await provider.abandoned.promise
  })

  test('an engine is hung up on', async ({ assert, cleanup }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-endless-'))
    const socket = join(folder, 'docker.sock')
    const closed = Promise.withResolvers<void>()
    const server = createServer((_request, response) => {
      response.once('close', closed.resolve)
      endless(response)
    }).listen(socket)
    await once(server, 'listening')
    cleanup(async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true })
    })
    await once(connect(socket), 'connect')
    const engine = Engine.at(`unix://${socket}`)
    await assert.rejects(
      () => engine.call((docker, options) => docker.listContainers({ ...options })),
      /An answer of the Docker engine is larger than 64 MB/
    )
    await closed.promise
  }).timeout(TIMEOUT_MS)

  for (const [what, ask] of [
    ['a refused call', (engine: Engine) => engine.call((docker) => docker.listContainers())],
    [
      'a refused stream',
      (engine: Engine) =>
        engine.call((docker) => docker.getContainer('x').getArchive({ path: '/' })),
    ],
  ] as const) {
    test(`an engine is hung up on when its words have no end: ${what}`, async ({
      assert,
      cleanup,
    }) => {
      const engine = await endlessEngine(cleanup, (response) => {
        response.writeHead(500, { 'content-type': 'application/json' }).write('{"message": "no ')
        pour(response)
      })
      const error = await failureOf(ask(engine))
      assert.match(String(error), /The Docker engine refused/)
      assert.isBelow(String(error).length, 200_000)
    }).timeout(TIMEOUT_MS)
  }

  test('an engine is hung up on when its progress is a line without an end', async ({
    assert,
    cleanup,
  }) => {
    const engine = await endlessEngine(cleanup, (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"status": "')
      pour(response)
    })
    const images = new Images(engine, 'here', TIMEOUT_MS)
    cleanup(() => images.close())
    const { signal } = new AbortController()
    const error = await failureOf(images.pull('example.org/image:1', { signal }))
    assert.match(String(error), /The progress of a fetch.* is larger than 64 KB/)
  }).timeout(TIMEOUT_MS)

  test('no more layers of an image are counted than one has', ({ assert }) => {
    const progress = new PullProgress()
    for (let at = 0; at < 5000; at++) progress.add({ id: `layer-${at}`, status: 'Waiting' })
    assert.match(progress.detail, /of 1000$/)
  })

  test('the log of a driver is cut, in length and in breadth', async ({ assert }) => {
    let ended = false
    async function* log() {
      try {
        for (;;) yield 'x'.repeat(100_000)
      } finally {
        ended = true
      }
    }
    const { signal } = new AbortController()
    const lines = await linesOf(log(), { maxLines: 40, maxLength: 1000, signal })
    assert.lengthOf(lines, 40)
    assert.lengthOf(lines[0], 1000)
    assert.isTrue(ended)
  })
})
