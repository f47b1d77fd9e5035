import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that a loopback service received. */
export interface Received {
  method: string
  /** Includes the query. */
  url: string
  headers: IncomingMessage['headers']
  /** Parsed JSON, else the text; undefined without a body. */
  body: unknown
}

/** Response: JSON with a status, or a function that writes it. */
export type Reply =
  | { status: number; json: unknown; headers?: Record<string, string> }
  | ((response: ServerResponse) => void)

/** An HTTP server on 127.0.0.1 that responds as scripted and records its requests. */
export class LoopbackService {
  readonly received: Received[] = []
  readonly #server

  private constructor(behave: (request: Received) => Reply) {
    this.#server = createServer(async (request, response) => {
      const received = await read(request)
      this.received.push(received)
      const reply = behave(received)
      if (typeof reply === 'function') return reply(response)
      const headers = { 'content-type': 'application/json', ...reply.headers }
      response.writeHead(reply.status, headers).end(JSON.stringify(reply.json))
    })
  }

  static async start(behave: (request: Received) => Reply): Promise<LoopbackService> {
    const service = new LoopbackService(behave)
    service.#server.listen(0, '127.0.0.1')
    await once(service.#server, 'listening')
    return service
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const { method = '', url = '', headers } = request
  return { method, url, headers, body: text === '' ? undefined : parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
