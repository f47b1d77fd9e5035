import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Belongings } from '#socket_proxy/belongings'
import { callOf } from '#socket_proxy/call'
import type { SocketProxyConfig } from '#socket_proxy/config'
import { Engine, textOf, type Outgoing } from '#socket_proxy/engine'
import { ImageRules } from '#socket_proxy/image_rules'
import { Installation } from '#socket_proxy/installation'
import { Refusal } from '#socket_proxy/refusal'
import { Routes } from '#socket_proxy/routes'

/** A create with the longest environment is a few hundred kilobytes. */
const BODY_BYTES = 1024 * 1024

/** A checked body arrives at once. */
const BODY_MS = 30_000

/** Response headers to pass back. */
const ANSWER_HEADERS = [
  'content-type',
  'api-version',
  'docker-experimental',
  'ostype',
  'server',
  'x-docker-container-path-stat',
]

/** One line about a request that was refused or failed. */
export type Report = (line: {
  method: string
  path: string
  status: number
  message: string
}) => void

/**
 * The part of the Docker Engine API that Mosaic needs, for a Mosaic without access to the engine's socket:
 * access to that socket is root on the machine. Streams responses through.
 */
export class SocketProxy {
  readonly #engine: Engine
  readonly #routes: Routes
  readonly #config: SocketProxyConfig
  readonly #report: Report
  readonly #server: Server

  constructor(config: SocketProxyConfig, report: Report = () => {}) {
    this.#config = config
    this.#report = report
    this.#engine = new Engine(config.engine)
    const installation = new Installation(config.installation, config.memory)
    this.#routes = new Routes(this.#engine, {
      config,
      engine: this.#engine,
      installation,
      belongings: new Belongings(this.#engine, installation),
      images: new ImageRules(this.#engine, config.images),
    })
    this.#server = createServer((request, response) => void this.#serve(request, response))
    // No limit: moving an agent's data may take long. Checked bodies have their own deadline.
    this.#server.requestTimeout = 0
  }

  /** Listens; returns the address in the form of `DOCKER_HOST`. */
  async start(): Promise<string> {
    this.#server.listen(this.#config.port, this.#config.host)
    await once(this.#server, 'listening')
    const { address, port } = this.#server.address() as AddressInfo
    return `tcp://${address.includes(':') ? `[${address}]` : address}:${port}`
  }

  /** Closes open connections: logs and events never end by themselves. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    try {
      const auth = request.headers['x-registry-auth']
      const ruling = await this.#routes.rule({
        ...callOf(method, url),
        readBody: () => jsonOf(request),
        caller: request.socket.remoteAddress ?? '',
        registryAuth: typeof auth === 'string' ? auth : undefined,
      })
      if ('answer' in ruling) return answer(response, ruling.status, ruling.answer)
      await this.#pass(request, response, ruling)
    } catch (error) {
      this.#fail(request, response, error as Error)
    }
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    { body, stream, ...outgoing }: Outgoing & { body?: unknown; stream?: boolean }
  ): Promise<void> {
    const text = body === undefined ? null : JSON.stringify(body)
    const headers: OutgoingHttpHeaders = { ...outgoing.headers }
    if (text !== null) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = Buffer.byteLength(text)
    } else if (stream) {
      headers['content-type'] = 'application/x-tar'
      const length = request.headers['content-length']
      if (length !== undefined) headers['content-length'] = length
    } else if (outgoing.method === 'POST') {
      headers['content-length'] = 0
    }
    const asked = this.#engine.send({ ...outgoing, headers })
    // When a client disconnects, the engine's work for it ends: a followed log, a pull.
    response.once('close', () => asked.destroy())
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject)
    })
    answered.catch(() => {})
    if (stream) {
      // The engine may refuse before it has read the whole body.
      pipeline(request, asked).catch(() => {})
    } else {
      request.resume()
      asked.end(text ?? undefined)
    }
    const answering = await answered
    response.writeHead(answering.statusCode!, headersOf(answering))
    response.flushHeaders()
    await pipeline(answering, response)
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: Error): void {
    const status = error instanceof Refusal ? error.status : 502
    const message = error instanceof Refusal ? error.message : 'The engine cannot be reached'
    const cause = error instanceof Refusal ? message : error.message
    const [path] = (request.url ?? '').split('?')
    if (!response.destroyed) this.#report({ method: request.method!, path, status, message: cause })
    if (response.headersSent) response.destroy()
    else answer(response, status, { message: `socket proxy: ${message}` })
    request.resume()
  }
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  request.setTimeout(BODY_MS, () => request.destroy())
  const text = await textOf(request, BODY_BYTES)
  request.setTimeout(0)
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('The body is no JSON', 400)
  }
}

function headersOf({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(
    ANSWER_HEADERS.filter((name) => headers[name] !== undefined).map((name) => [
      name,
      headers[name],
    ])
  )
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
