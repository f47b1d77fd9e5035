import {
  request,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import { Refusal } from '#socket_proxy/refusal'

/** A request to the engine: path and query are always built here, never the caller's text. */
export interface Outgoing {
  method: string
  /**
   * Without a version, so that the engine's newest API applies. Old versions accept more than is checked here.
   */
  path: string
  query?: Record<string, string>
  headers?: OutgoingHttpHeaders
}

/** An inspection before a change takes milliseconds, or seconds on a busy engine. */
const LOOK_MS = 30_000

/** An inspection returns a few kilobytes. */
const LOOK_BYTES = 4 * 1024 * 1024

/** The engine, behind its socket. */
export class Engine {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** Starts a request; the caller writes the body, ends it, and reads the response as it arrives. */
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
   * Inspects an object; null if it does not exist.
   *
   * @throws Refusal if the engine answers with anything else
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

/** @throws Refusal if the stream has more than `limit` bytes */
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
