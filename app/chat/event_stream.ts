import type { ServerResponse } from 'node:http'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  /** Proxies that buffer by default let this answer through as it comes. */
  'x-accel-buffering': 'no',
}

export interface EventStreamOptions {
  /** Milliseconds of silence after which the stream is opened although there is nothing to say yet. */
  openAfterMs: number
  /** Milliseconds of silence after which a comment tells the client and proxies that it lives. */
  heartbeatMs: number
  /** The request's id, for the answer's header. */
  requestId?: string
}

/**
 * An answer of server-sent events, written straight to the connection. Opens with the first write, or by
 * itself after a while, so that a failure that comes at once still has its own status.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  #timer: NodeJS.Timeout

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.#timer = setTimeout(this.#beat, options.openAfterMs)
  }

  get opened(): boolean {
    return this.#response.headersSent
  }

  /** Writes whole events. False means: the client is behind, wait for `drained`. */
  write(events: Buffer | string): boolean {
    if (this.opened) this.#timer.refresh()
    else this.#open()
    return this.#response.write(events)
  }

  /** A named event with JSON as its data. */
  event(name: string, data: unknown): boolean {
    return this.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** What clients skip; one line. */
  comment(text: string): boolean {
    return this.write(`: ${text}\n\n`)
  }

  /** Calls back once what was written has left for the client. */
  drained(callback: () => void): void {
    this.#response.once('drain', callback)
  }

  end(events?: Buffer | string): void {
    if (!this.opened) this.#open()
    this.release()
    this.#response.end(events)
  }

  /** Stops the heartbeat; for a stream that never opened, or whose client left. */
  release(): void {
    clearTimeout(this.#timer)
  }

  #open(): void {
    const { requestId, heartbeatMs } = this.#options
    this.#response.writeHead(200, requestId ? { ...HEADERS, 'x-request-id': requestId } : HEADERS)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#beat, heartbeatMs)
  }

  /** A client that is behind needs no sign of life: it has enough to read. */
  readonly #beat = (): void => {
    if (this.#response.destroyed) return
    if (this.#response.writableNeedDrain) this.#timer.refresh()
    else this.comment('still here')
  }
}
