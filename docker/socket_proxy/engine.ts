import {
  request,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import { Refusal } from '#socket_proxy/refusal'

/** What goes to the engine: always a path and a query made here, never what a caller wrote. */
export interface Outgoing {
  method: string
  /** Without a version: the engine's newest. Old ones take more than is checked here. */
  path: string
  query?: Record<string, string>
  headers?: OutgoingHttpHeaders
}

/** A look at something before a change of it takes milliseconds; a busy engine takes seconds. */
const LOOK_MS = 30_000

/** What the engine tells of one thing is some kilobytes. */
const LOOK_BYTES = 4 * 1024 * 1024

/** The engine, behind its socket. */
export class Engine {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** Begins a request; the caller writes the body, ends it, and reads the answer as it comes. */
  send({ method, path, query = {}, headers }: Outgoing): ClientRequest {
    const search = new URLSearchParams(query).toString()
    return request({
      socketPath: this.#socketPath,
      method,
      path: search ? `${path}?${search}` : path,
      headers: { host: 'docker', ...headers },
      agent: false,
    })
  }

  /**
   * Looks at something: what the engine says of it, or null where there is no such thing.
   *
   * @throws Refusal when the engine answers with anything else
   */
  async look<Found>(path: string): Promise<Found | null> {
    const asked = this.send({ method: 'GET', path })
    asked.setTimeout(LOOK_MS, () => asked.destroy(new Error('The engine did not answer in time')))
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject).end()
    })
    const text = await textOf(answer, LOOK_BYTES)
    if (answer.statusCode === 404) return null
    if (answer.statusCode !== 200) throw new Refusal('The engine would not tell what this is')
    return JSON.parse(text) as Found
  }
}

/** @throws Refusal when there is more than `limit` bytes of it */
export async function textOf(stream: AsyncIterable<Buffer>, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > limit) throw new Refusal('The body is too large', 413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
