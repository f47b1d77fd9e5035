import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from '@japa/runner'
import type { Dispatcher } from 'undici'
import { guardedDispatcher } from '#llm/guarded_dispatcher'
import { callProvider } from '#llm_relay/provider_call'
import { RelayDispatcher } from '#llm_relay/relay_dispatcher'
import { ReplayableBody } from '#llm_relay/replayable_body'

const MB = 1024 * 1024

/** A server by hand: it keeps what each connection sent, and does with it what a test says. */
async function server(take: (socket: Socket, received: string, connection: number) => void) {
  const sockets: { socket: Socket; received: string }[] = []
  const listener = createServer((socket) => {
    const entry = { socket, received: '' }
    const connection = sockets.push(entry)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      entry.received += chunk.toString('latin1')
      take(socket, entry.received, connection)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/v1/chat/completions`),
    sockets,
    stop: () => {
      for (const { socket } of sockets) socket.destroy()
      listener.close()
    },
  }
}

const isWhole = (received: string) => received.endsWith('0\r\n\r\n')
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=60\r\n\r\nOK'

test.group('A call to a provider', (group) => {
  let dispatcher: Dispatcher
  group.each.setup(() => {
    dispatcher = guardedDispatcher({ allowedRanges: ['127.0.0.0/8'] }, { connections: 1 })
    return () => dispatcher.destroy()
  })

  const call = (
    url: URL,
    body: Buffer[],
    signal = new AbortController().signal,
    now?: () => number
  ) =>
    callProvider(
      dispatcher,
      {
        url,
        method: 'POST',
        headers: new Headers({ 'content-type': 'application/json' }),
        body: new ReplayableBody(Readable.from(body), 64 * MB),
        signal,
        headersTimeout: 5000,
        bodyTimeout: 5000,
      },
      now
    )
  const piece = (size: number) => Buffer.alloc(size, 'x')

  for (const end of ['resetAndDestroy', 'end'] as const) {
    test(`goes again where a kept connection was closed under it (${end})`, async ({
      assert,
      cleanup,
    }) => {
      const upstream = await server((socket, received, connection) => {
        const calls = received.split('POST ').length - 1
        if (connection === 1 && calls === 2) return void socket[end]()
        if (isWhole(received)) socket.write(OK)
      })
      cleanup(upstream.stop)
      assert.equal(await (await call(upstream.url, [Buffer.from('one')])).body.text(), 'OK')
      const answer = await call(upstream.url, [Buffer.from('tw'), Buffer.from('o')])
      assert.equal(await answer.body.text(), 'OK')
      assert.lengthOf(upstream.sockets, 2)
      assert.equal(upstream.sockets[0].received.split('POST ').length - 1, 2)
      assert.include(upstream.sockets[1].received, 'tw')
      assert.isTrue(isWhole(upstream.sockets[1].received))
    })
  }

  for (const end of ['resetAndDestroy', 'end'] as const) {
    test(`never goes again where a model may have been at work (${end})`, async ({
      assert,
      cleanup,
    }) => {
      let workedMs = 0
      const upstream = await server((socket, received) => {
        if (!isWhole(received)) return
        if (received.split('POST ').length === 2) return void socket.write(OK)
        workedMs = 1500
        socket[end]()
      })
      cleanup(upstream.stop)
      await (await call(upstream.url, [Buffer.from('one')])).body.text()
      const now = () => performance.now() + workedMs
      const second = call(upstream.url, [Buffer.from('two')], undefined, now)
      await assert.rejects(() => second)
      assert.lengthOf(upstream.sockets, 1)
    })
  }

  test('never goes again on a connection made for it', async ({ assert, cleanup }) => {
    const upstream = await server((socket) => socket.resetAndDestroy())
    cleanup(upstream.stop)
    await assert.rejects(() => call(upstream.url, [Buffer.from('one')]))
    assert.lengthOf(upstream.sockets, 1)
  })

  test('never goes again once an answer began', async ({ assert, cleanup }) => {
    const upstream = await server((socket, received) => {
      if (!isWhole(received)) return
      const isFirst = received.split('POST ').length === 2
      if (isFirst) return void socket.write(OK)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nO', () => socket.destroy())
    })
    cleanup(upstream.stop)
    await (await call(upstream.url, [Buffer.from('one')])).body.text()
    await assert.rejects(async () => (await call(upstream.url, [Buffer.from('two')])).body.text())
    assert.lengthOf(upstream.sockets, 1)
  })

  test('never goes again with a body that is too large to keep', async ({ assert, cleanup }) => {
    const upstream = await server((socket, received) => {
      if (received.length > 1.5 * MB) socket.resetAndDestroy()
      else if (isWhole(received)) socket.write(OK)
    })
    cleanup(upstream.stop)
    await (await call(upstream.url, [piece(10)])).body.text()
    await assert.rejects(() => call(upstream.url, [piece(MB), piece(MB), piece(MB)]))
    assert.lengthOf(upstream.sockets, 1)
  })

  test('never goes again for an agent that left', async ({ assert, cleanup }) => {
    const agent = new AbortController()
    const upstream = await server((socket, received) => {
      if (received.split('POST ').length > 2) agent.abort()
      else if (isWhole(received)) socket.write(OK)
    })
    cleanup(upstream.stop)
    await (await call(upstream.url, [piece(10)])).body.text()
    await assert.rejects(() => call(upstream.url, [piece(10)], agent.signal))
    assert.lengthOf(upstream.sockets, 1)
  })

  test('finds a server that closes idle connections, as uvicorn does', async ({
    assert,
    cleanup,
  }) => {
    const relay = new RelayDispatcher(async () => ['127.0.0.0/8'])
    cleanup(() => relay.destroy())
    const upstream = await server((socket, received) => {
      if (isWhole(received)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK')
    })
    cleanup(upstream.stop)
    dispatcher = await relay.get()
    for (const expected of [1, 2, 3]) {
      await (await call(upstream.url, [Buffer.from('hello')])).body.text()
      assert.lengthOf(upstream.sockets, expected)
      const { socket } = upstream.sockets.at(-1)!
      const closed = once(socket, 'close')
      socket.end()
      await closed
    }
  })
})

test.group('A body that may be sent again', () => {
  test('is read once, and given whole as often as it is opened', async ({ assert }) => {
    let reads = 0
    const source = async function* () {
      for (const word of ['one ', 'two ', 'three']) {
        reads++
        yield Buffer.from(word)
      }
    }
    const body = new ReplayableBody(Readable.from(source()), 100)
    const first = body.open()
    await once(first, 'readable')
    first.destroy()
    assert.equal(await text(body.open()), 'one two three')
    assert.equal(await text(body.open()), 'one two three')
    assert.equal(reads, 3)
  })

  test('keeps no more than it may, and passes the rest through', async ({ assert }) => {
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'x'))
    const body = new ReplayableBody(Readable.from(chunks), 64 * MB)
    assert.isTrue(body.isKept)
    assert.lengthOf(await text(body.open()), 40 * 64 * 1024)
    assert.isFalse(body.isKept)
  })

  test('fails past its limit', async ({ assert }) => {
    const body = new ReplayableBody(Readable.from([Buffer.alloc(11)]), 10)
    await assert.rejects(() => text(body.open()), /larger than Mosaic passes on/)
    assert.isFalse(body.isKept)
  })
})
