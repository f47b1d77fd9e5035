import { once } from 'node:events'
import { createHash } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A call to the gateway's WebSocket. */
export interface SocketCall {
  id: string
  method: string
  params: Record<string, any>
}

const HELLO = {
  type: 'hello-ok',
  protocol: 4,
  server: { version: '0', connId: 'c' },
  features: { methods: [], events: [] },
  snapshot: { presence: [], health: {}, stateVersion: { presence: 0, health: 0 }, uptimeMs: 1 },
  auth: { role: 'operator', scopes: [] },
  policy: { maxPayload: 25 * 1024 * 1024, maxBufferedBytes: 1e8, tickIntervalMs: 30_000 },
}

/** A gateway on loopback that admits anyone to its WebSocket, and answers calls as scripted. */
export class SocketGateway {
  readonly calls: SocketCall[] = []
  readonly upgrades: IncomingMessage[] = []
  /** The payload of each answer; a string is sent as it is, in place of JSON, and for undefined nothing is. */
  answer: (call: SocketCall) => unknown = () => ({})
  http: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.writeHead(404).end('{}')
  }
  readonly #admitted = new Set<Socket>()
  readonly #server = createServer((request, response) => this.http(request, response))

  async start(): Promise<this> {
    this.#server.on('upgrade', (request, socket) => this.#admit(request, socket as Socket))
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Sends an event to every client of the WebSocket. */
  push(event: string, payload: object): void {
    const message = frame(JSON.stringify({ type: 'event', event, payload }))
    for (const socket of this.#admitted) socket.write(message)
  }

  #admit(request: IncomingMessage, socket: Socket): void {
    this.upgrades.push(request)
    this.#admitted.add(socket)
    socket.once('close', () => this.#admitted.delete(socket))
    socket.on('error', () => {})
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    const headers = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n\r\n`)
    const send = (message: object) => socket.write(frame(JSON.stringify(message)))
    send({ type: 'event', event: 'connect.challenge', payload: { nonce: 'n', ts: 1 } })
    let held: Buffer = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      const { messages, rest } = unframed(Buffer.concat([held, bytes]))
      held = rest
      for (const call of messages.map((text) => JSON.parse(text) as SocketCall)) {
        if (call.method === 'connect') {
          send({ type: 'res', id: call.id, ok: true, payload: HELLO })
          continue
        }
        this.calls.push(call)
        const payload = this.answer(call)
        if (payload === undefined) continue
        const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
        socket.write(frame(`{"type":"res","id":"${call.id}","ok":true,"payload":${text}}`))
      }
    })
  }
}

/** Encodes a text message. */
export function frame(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(10)
  head.set([0x81, 127])
  head.writeBigUInt64BE(BigInt(bytes.length), 2)
  return Buffer.concat([head, bytes])
}

/** Decodes the complete text messages of a client; others are skipped. */
function unframed(bytes: Buffer): { messages: string[]; rest: Buffer } {
  const messages: string[] = []
  let at = 0
  while (bytes.length >= at + 14) {
    const short = bytes[at + 1] & 0x7f
    const [extra, length] =
      short === 126
        ? [2, bytes.readUInt16BE(at + 2)]
        : short === 127
          ? [8, Number(bytes.readBigUInt64BE(at + 2))]
          : [0, short]
    const begin = at + 2 + extra + 4
    if (bytes.length < begin + length) break
    const mask = bytes.subarray(begin - 4, begin)
    const text = bytes.subarray(begin, begin + length).map((byte, index) => byte ^ mask[index % 4])
    if ((bytes[at] & 0x0f) === 1) messages.push(Buffer.from(text).toString())
    at = begin + length
  }
  return { messages, rest: bytes.subarray(at) }
}
