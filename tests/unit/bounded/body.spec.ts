import { PassThrough, Readable } from 'node:stream'
import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { test } from '@japa/runner'
import { E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW } from '#bounded/errors'
import { pieces, readBeginning, readBytes, readJson, readText } from '#bounded/body'

const KB = 1024
const limits = { what: 'The answer', maxBytes: 64 * KB }

/** Sends for as long as it is asked to, and tells how much that was. */
function endless(piece = Buffer.alloc(KB, 'x')) {
  const sent = { bytes: 0, ended: false }
  async function* source() {
    try {
      for (;;) {
        sent.bytes += piece.length
        yield piece
      }
    } finally {
      sent.ended = true
    }
  }
  return { sent, stream: Readable.from(source(), { objectMode: false, highWaterMark: 4 * KB }) }
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

test.group('Bounded body', () => {
  test('reads what is small enough, from each kind of source', async ({ assert }) => {
    const text = '{"a":"ü"}'
    assert.equal(await readText(Readable.from([Buffer.from(text)]), limits), text)
    assert.equal(await readText(new Response(text).body, limits), text)
    assert.deepEqual(await readJson(new Response(text).body, limits), { a: 'ü' })
    assert.isNull(await readJson(null, limits))
    assert.equal((await readBytes(Readable.from([Buffer.alloc(64 * KB)]), limits)).length, 64 * KB)
  })

  test('ends an endless stream at its source', async ({ assert }) => {
    const { sent, stream } = endless()
    const error = await readBytes(stream, limits).catch((reason: unknown) => reason)
    assert.instanceOf(error, E_INPUT_TOO_LARGE)
    assert.include((error as Error).message, 'The answer is larger than 64 KB')
    assert.isTrue(stream.destroyed)
    assert.isTrue(sent.ended)
    assert.isBelow(sent.bytes, 2 * limits.maxBytes)
  })

  test('ends an endless answer of an HTTP server', async ({ assert, cleanup }) => {
    const closed = Promise.withResolvers<void>()
    let written = 0
    const { url, close } = await serve((_request, response) => {
      response.once('close', closed.resolve)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(KB))) written += KB
      }
      response.on('drain', more)
      more()
    })
    cleanup(close)
    for (const body of [
      async () => (await fetch(url)).body,
      async () => (await request(url)).body,
    ]) {
      await assert.rejects(async () => readBytes(await body(), limits), /larger than 64 KB/)
    }
    await closed.promise
    // What the sockets of both sides hold is the machine's own, a few megabytes.
    assert.isBelow(written, 32 * KB * KB)
  })

  test('counts what a compressed body becomes', async ({ assert, cleanup }) => {
    const bomb = gzipSync(Buffer.alloc(16 * KB * KB))
    const { url, close } = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    cleanup(close)
    assert.isBelow(bomb.length, limits.maxBytes * 2)
    const answer = await fetch(url)
    await assert.rejects(() => readBytes(answer.body, limits), /larger than 64 KB/)
  })

  test('keeps no more than the bytes of pieces of one byte each', async ({ assert }) => {
    const { stream } = endless(Buffer.alloc(1))
    const before = process.memoryUsage()
    await assert.rejects(() => readBytes(stream, { ...limits, maxBytes: 256 * KB }))
    const { external } = process.memoryUsage()
    assert.isBelow(external - before.external, 16 * KB * KB)
  })

  test('waits for a next piece, and for all of them, only so long', async ({ assert, cleanup }) => {
    const silent = new PassThrough()
    silent.write('begun')
    const trickle = new PassThrough()
    const drops = setInterval(() => trickle.write('x'), 5)
    cleanup(() => clearInterval(drops))
    for (const [stream, limit] of [
      [silent, { idleMs: 20 }],
      [trickle, { idleMs: 10_000, maxMs: 50 }],
    ] as const) {
      const error = await readBytes(stream, { ...limits, ...limit }).catch((reason) => reason)
      assert.instanceOf(error, E_INPUT_TOO_SLOW)
      assert.isTrue(stream.destroyed)
    }
  })

  test('ends with the reason of the signal', async ({ assert }) => {
    const reason = new Error('left')
    const { stream } = endless()
    const leaving = new AbortController()
    const reading = (async () => {
      for await (const piece of pieces(stream, {
        ...limits,
        maxBytes: Infinity,
        signal: leaving.signal,
      })) {
        if (piece.length) leaving.abort(reason)
      }
    })()
    assert.equal(await reading.catch((error: unknown) => error), reason)
    const aborted = readBytes(endless().stream, { ...limits, signal: AbortSignal.abort(reason) })
    assert.equal(await aborted.catch((error: unknown) => error), reason)
  })

  test('reads the beginning of an endless body', async ({ assert }) => {
    const { sent, stream } = endless()
    assert.equal(await readBeginning(stream, { ...limits, maxBytes: 100 }), 'x'.repeat(100))
    assert.isTrue(sent.ended)
  })
})
