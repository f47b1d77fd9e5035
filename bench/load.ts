import { connect, type Socket } from 'node:net'

const END_OF_ANSWER = Buffer.from('0\r\n\r\n')
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const FIRST_EVENT = Buffer.from('data: ')
const CONTENT_LENGTH = /content-length: *(\d+)/i

/** The exact request, and where to send it. */
export interface Target {
  host: string
  port: number
  request: Buffer
}

/** Milliseconds since a request was sent. The first event of a plain response is its end. */
export interface Timing {
  firstEvent: number
  end: number
}

/** Builds a request once, so that sending it costs the load generator nothing. Without a body it is a GET. */
export function target(url: string, path: string, token: string, body?: unknown): Target {
  const { hostname, port, host } = new URL(url)
  const json = body === undefined ? '' : JSON.stringify(body)
  const head = [
    `${json ? 'POST' : 'GET'} ${path} HTTP/1.1`,
    `host: ${host}`,
    `authorization: Bearer ${token}`,
    ...(json
      ? ['content-type: application/json', `content-length: ${Buffer.byteLength(json)}`]
      : []),
  ]
  return {
    host: hostname,
    port: Number(port),
    request: Buffer.from(`${head.join('\r\n')}\r\n\r\n${json}`),
  }
}

/**
 * A keep-alive connection on a bare socket that repeats one request: measuring must cost less than what is
 * measured. Responses are chunked event streams, or have a known length.
 */
export class Connection {
  readonly #socket: Socket
  readonly #request: Buffer
  #sentAt = 0
  #firstEvent = 0
  #left = 0
  #tail: Buffer = Buffer.alloc(0)
  #settle: PromiseWithResolvers<Timing> | null = null
  readonly #began = Promise.withResolvers<void>()

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket
    this.#request = request
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#settle?.reject(error))
    socket.on('close', () => this.#settle?.reject(new Error('The connection was closed')))
  }

  static open({ host, port, request }: Target): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(new Connection(socket, request)))
      socket.once('error', reject)
    })
  }

  ask(): Promise<Timing> {
    this.#settle = Promise.withResolvers()
    this.#firstEvent = 0
    this.#tail = Buffer.alloc(0)
    this.#sentAt = performance.now()
    this.#socket.write(this.#request)
    return this.#settle.promise
  }

  /** Sends the request and resolves at the first event, without waiting for the rest. */
  async begin(): Promise<void> {
    this.ask().catch(this.#began.reject)
    await this.#began.promise
  }

  close(): void {
    this.#settle = null
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#firstEvent !== 0) return this.#readChunks(chunk)
    const end = chunk.indexOf(END_OF_HEAD)
    const head = end === -1 ? '' : chunk.subarray(0, end).toString('latin1')
    if (head && !head.startsWith('HTTP/1.1 200')) {
      this.#settle?.reject(new Error(`Not a 200: ${chunk.toString().slice(0, 300)}`))
    }
    const length = CONTENT_LENGTH.exec(head)
    if (length) return this.#readLength(chunk.length - end - END_OF_HEAD.length, Number(length[1]))
    if (this.#left > 0) return this.#readLength(chunk.length, this.#left)
    if (!chunk.includes(FIRST_EVENT)) return
    this.#firstEvent = performance.now() - this.#sentAt
    this.#began.resolve()
    this.#readChunks(chunk)
  }

  #readLength(read: number, expected: number): void {
    this.#left = expected - read
    if (this.#left > 0) return
    this.#firstEvent = performance.now() - this.#sentAt
    this.#done()
  }

  #readChunks(chunk: Buffer): void {
    const { length } = END_OF_ANSWER
    this.#tail =
      chunk.length >= length ? chunk.subarray(-length) : Buffer.concat([this.#tail, chunk])
    if (this.#tail.subarray(-length).equals(END_OF_ANSWER)) this.#done()
  }

  #done(): void {
    const settle = this.#settle
    this.#settle = null
    settle?.resolve({ firstEvent: this.#firstEvent, end: performance.now() - this.#sentAt })
  }
}

/** Returns the times to the first event of sequential requests, in milliseconds. */
export async function firstEvents(to: Target, count: number): Promise<number[]> {
  const connection = await Connection.open(to)
  const samples: number[] = []
  for (let i = 0; i < count; i++) samples.push((await connection.ask()).firstEvent)
  connection.close()
  return samples
}

/** Returns the number of requests answered in full at this concurrency within this time. */
export async function requestsWithin(
  to: Target,
  concurrency: number,
  ms: number
): Promise<{ requests: number; seconds: number }> {
  const connections = await Promise.all(
    Array.from({ length: concurrency }, () => Connection.open(to))
  )
  let requests = 0
  const startedAt = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() - startedAt < ms) {
        await connection.ask()
        requests++
      }
      connection.close()
    })
  )
  return { requests, seconds: (performance.now() - startedAt) / 1000 }
}
