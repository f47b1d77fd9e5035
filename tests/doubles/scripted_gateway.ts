import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GatewayAccess } from '#agents/types'

/** A request as the gateway received it. */
export interface RecordedRequest {
  headers: IncomingHttpHeaders
  body: any
}

/** The gateway's behaviour in a chat, written by the test. */
export type Script = (response: GatewayReply, request: RecordedRequest) => void | Promise<void>

/** A response that a test writes piece by piece. */
export class GatewayReply {
  constructor(readonly raw: ServerResponse) {}

  /** Starts an event stream like OpenClaw: headers and the role at once. */
  begin(headers: Record<string, string | string[]> = {}): this {
    this.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers })
    return this.#chunk({ role: 'assistant' })
  }

  say(content: string): this {
    return this.#chunk({ content })
  }

  /** Ends the stream like a finished run. */
  finish(): void {
    this.#chunk({}, 'stop')
    this.raw.end('data: [DONE]\n\n')
  }

  /** Ends the stream like a failed run. */
  fail(message: string): void {
    this.event({ error: { message, type: 'api_error' } })
    this.raw.end('data: [DONE]\n\n')
  }

  /** Cuts the connection, as when a process ends. */
  die(): void {
    this.raw.destroy()
  }

  json(status: number, value: unknown, headers: Record<string, string | string[]> = {}): void {
    this.raw.writeHead(status, { 'content-type': 'application/json', ...headers })
    this.raw.end(JSON.stringify(value))
  }

  /** Resolves once the other side has hung up. */
  hungUp(): Promise<void> {
    return new Promise((resolve) => this.raw.once('close', resolve))
  }

  event(value: unknown): this {
    this.raw.write(`data: ${JSON.stringify(value)}\n\n`)
    return this
  }

  #chunk(delta: object, finishReason: string | null = null): this {
    return this.event({
      id: 'chatcmpl_1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'openclaw',
      choices: [{ index: 0, delta, finish_reason: finishReason }],
    })
  }
}

/** A gateway on loopback that records requests and answers as scripted. */
export class ScriptedGateway {
  readonly requests: RecordedRequest[] = []
  script: Script = (reply) => reply.begin().say('Hello').finish()
  readonly #server: Server
  #port = 0

  constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      const recorded = { headers: request.headers, body: text ? JSON.parse(text) : null }
      this.requests.push(recorded)
      await this.script(new GatewayReply(response), recorded)
    })
  }

  get access(): GatewayAccess {
    return { url: `http://127.0.0.1:${this.#port}`, token: 'gateway-token' }
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}
