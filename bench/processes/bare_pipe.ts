/**
 * The minimal streaming proxy on Node and undici: no routing, no sign-in, no checks, no protection. `request`
 * pipes the response's stream; `stream` lets undici write into the response.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const [origin, way] = process.argv.slice(2)
const pool = new Pool(origin)

function optionsOf(incoming: IncomingMessage) {
  const { authorization, 'content-type': type, 'content-length': length } = incoming.headers
  return {
    path: incoming.url!,
    method: 'POST' as const,
    headers: { authorization, 'content-type': type, 'content-length': length },
    body: incoming,
  }
}

const contentType = (headers: IncomingHttpHeaders) => ({
  'content-type': String(headers['content-type']),
})

const ways: Record<string, (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>> =
  {
    async request(incoming, outgoing) {
      const answer = await pool.request(optionsOf(incoming))
      outgoing.writeHead(answer.statusCode, contentType(answer.headers))
      answer.body.pipe(outgoing)
    },
    async stream(incoming, outgoing) {
      await pool.stream(optionsOf(incoming), ({ statusCode, headers }) => {
        outgoing.writeHead(statusCode, contentType(headers))
        return outgoing
      })
    },
  }

const server = createServer((incoming, outgoing) => {
  ways[way](incoming, outgoing).catch(() => outgoing.destroy())
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send!({ ready: { url: `http://127.0.0.1:${port}` } })
})
process.on('disconnect', () => process.exit())
