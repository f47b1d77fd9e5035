import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** Between two looks at the backends' readiness. */
const LOOK_EVERY_MS = 100

interface Backend {
  url: string
  ready: boolean
  /** Responses in progress. */
  open: number
}

/**
 * A load balancer as small as one can be: sends each request to the next backend that is ready. Like others, it asks
 * another one if a backend cannot be reached or refuses with 503.
 */
export class Balancer {
  readonly #backends: Backend[] = []
  readonly #server = createServer((incoming, outgoing) => {
    this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
  })
  #turn = 0
  #looking: NodeJS.Timeout | undefined

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const look = async () => {
      await Promise.all(this.#backends.map((backend) => this.#look(backend)))
      this.#looking = setTimeout(() => void look(), LOOK_EVERY_MS)
    }
    await look()
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Adds a backend; rejects if it is not ready. */
  async add(url: string): Promise<void> {
    const backend = { url, ready: false, open: 0 }
    await this.#look(backend)
    if (!backend.ready) throw new Error(`${url} is not ready`)
    this.#backends.push(backend)
  }

  /** Responses in progress. */
  get open(): number {
    return this.#backends.reduce((sum, { open }) => sum + open, 0)
  }

  /** Those of one backend. */
  openAt(url: string): number {
    return this.#backends.find((backend) => backend.url === url)?.open ?? 0
  }

  async stop(): Promise<void> {
    clearTimeout(this.#looking)
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming)
    for (const backend of this.#inTurn()) {
      const response = await ask(backend, incoming, body)
      if (!response) continue
      backend.open++
      outgoing.once('close', () => {
        backend.open--
        response.destroy()
      })
      outgoing.writeHead(response.statusCode!, response.headers)
      response.once('error', () => outgoing.destroy())
      response.pipe(outgoing)
      return
    }
    outgoing.writeHead(503).end()
  }

  /** The next backend first. */
  #inTurn(): Backend[] {
    const ready = this.#backends.filter((backend) => backend.ready)
    const first = this.#turn++ % Math.max(1, ready.length)
    return [...ready.slice(first), ...ready.slice(0, first)]
  }

  async #look(backend: Backend): Promise<void> {
    const answer = await fetch(`${backend.url}/health/ready`).catch(() => null)
    await answer?.body?.cancel()
    backend.ready = answer?.ok ?? false
  }
}

/** Returns the response; null if the backend did not take the request. */
async function ask(
  { url: origin }: Backend,
  { method, headers, url }: IncomingMessage,
  body: Buffer
): Promise<IncomingMessage | null> {
  const asked = request(`${origin}${url}`, { method, headers, agent: false }).end(body)
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    if (response.statusCode !== 503) return response
    response.resume()
    return null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return null
    throw error
  }
}
