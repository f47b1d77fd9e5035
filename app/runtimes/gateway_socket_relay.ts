/**
 * Passes the bytes of a gateway's WebSocket to a client that would take them as fast as an agent sends: it
 * parses everything that has arrived in one turn of the event loop, and answers pings without waiting for the
 * agent to read the answers.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createServer, type AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Bytes passed per turn: thousands of tiny messages. */
const TURN_BYTES = 8 * 1024

/**
 * Objects and lists that an agent may send within a window, roughly: braces in texts count as well. Empty
 * ones take a hundred times the bytes that they are sent in, and seconds to parse.
 */
const MOST_CONTAINERS = 500_000
const WINDOW_MS = 10_000

const [BRACKET, BRACE] = [0x5b, 0x7b]

/** The longest request for a WebSocket, in bytes. */
const REQUEST_BYTES = 16 * 1024
const END_OF_REQUEST = '\r\n\r\n'

/** Compressed messages would hide their size. */
const EXTENSIONS = /\r\nsec-websocket-extensions:[^\r]*/gi

/** Returns a local address that leads to the gateway, for one connection. Call `close` when it has ended. */
export async function relaySocket(gateway: Duplex): Promise<{ url: string; close: () => void }> {
  // An agent may reset it before anyone listens; the reader gets the error.
  gateway.on('error', () => {})
  const server = createServer((socket) => {
    server.close()
    const both = [
      pipeline(socket, withoutExtensions, gateway),
      pipeline(gateway, (bytes: AsyncIterable<Buffer>) => inTurns(bytes, gateway), socket),
    ]
    // Either end may close at any time; the client reports it.
    Promise.all(both).catch(() => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    gateway.destroy()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Removes the client's offer of extensions from its request. */
async function* withoutExtensions(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let request: string | null = ''
  for await (const chunk of bytes) {
    if (request === null) {
      yield chunk
      continue
    }
    request += chunk.toString('latin1')
    if (!request.includes(END_OF_REQUEST)) {
      if (request.length > REQUEST_BYTES) throw new Error('The request for a WebSocket has no end')
      continue
    }
    yield Buffer.from(request.replace(EXTENSIONS, ''), 'latin1')
    request = null
  }
}

async function* inTurns(bytes: AsyncIterable<Buffer>, gateway: Duplex): AsyncGenerator<Buffer> {
  let containers = 0
  let since = performance.now()
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += TURN_BYTES) {
      const piece = chunk.subarray(at, at + TURN_BYTES)
      if (performance.now() - since > WINDOW_MS) [containers, since] = [0, performance.now()]
      containers += containersIn(piece)
      if (containers > MOST_CONTAINERS) throw new Error('The gateway sends masses of empty values')
      if (gateway.writableNeedDrain) await readAgain(gateway)
      yield piece
      await nextTurn()
    }
  }
}

function containersIn(bytes: Buffer): number {
  let count = 0
  for (const sign of [BRACKET, BRACE]) {
    let at = bytes.indexOf(sign)
    for (; at !== -1; at = bytes.indexOf(sign, at + 1)) count++
  }
  return count
}

function readAgain(gateway: Duplex): Promise<void> {
  return new Promise((resolve) => gateway.once('drain', resolve).once('close', resolve))
}
