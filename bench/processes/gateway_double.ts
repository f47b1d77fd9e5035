/**
 * A gateway and a provider in one, on bare sockets, so that it is never the bottleneck: it answers every POST
 * with a stream of five events, each in its own packet. A body with `"hold":true` gets only the first words.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'

const EVENTS = 5

const HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n'
)
const READY = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')

const CHUNK = { id: 'chatcmpl_1', object: 'chat.completion.chunk', created: 1, model: 'openclaw' }

function httpChunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}

const event = (delta: object, finishReason: string | null = null) =>
  httpChunk(
    `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`
  )

const PARTS = [
  Buffer.concat([HEAD, event({ role: 'assistant' })]),
  ...Array.from({ length: EVENTS - 2 }, () => event({ content: 'A few words. ' })),
  Buffer.concat([event({}, 'stop'), httpChunk('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')]),
]

function stream(socket: Socket, part = 0): void {
  if (socket.destroyed) return
  socket.write(PARTS[part])
  if (part + 1 < PARTS.length) setImmediate(stream, socket, part + 1)
}

const HOLD = Buffer.from('"hold":true')
const END_OF_HEAD = Buffer.from('\r\n\r\n')

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      const end = pending.indexOf(END_OF_HEAD)
      if (end === -1) return
      const head = pending.subarray(0, end).toString('latin1')
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      const total = end + END_OF_HEAD.length + length
      if (pending.length < total) return
      const holds = pending.subarray(0, total).includes(HOLD)
      pending = pending.subarray(total)
      if (holds) socket.write(Buffer.concat(PARTS.slice(0, 2)))
      else if (head.startsWith('POST')) stream(socket)
      else socket.write(READY)
    }
  })
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send!({ ready: { url: `http://127.0.0.1:${port}` } })
})
process.on('disconnect', () => process.exit())
