import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'

/** A call as it reached the provider. */
export interface ProviderCall {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** How the provider responds from now on. */
export type Reply = (response: ServerResponse, call: ProviderCall) => void

/** An LLM service on loopback that records calls and responds as scripted. */
export class LoopbackProvider {
  readonly calls: ProviderCall[] = []
  reply: Reply = (response) => response.writeHead(200).end('{}')
  /** Resolves when a caller hangs up before its response is complete. */
  readonly abandoned = Promise.withResolvers<void>()
  readonly #server = createServer(async (request, response) => {
    response.once('close', () => !response.writableFinished && this.abandoned.resolve())
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    const call = { method, url, headers, body }
    this.calls.push(call)
    this.reply(response, call)
  })

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Answers with one JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}
