import type { ServerResponse } from 'node:http'
import { httpChunk } from '#http/http_chunk'
import { EVENT_STREAM_HEADERS, eventText, HEARTBEAT_TEXT } from '#http/server_sent_events'
import type { StreamTiming } from '#http/stream_timing'

/** Looks per heartbeat: a silence is noticed at the second look, so at most one heartbeat after it began. */
const LOOKS = 2

export interface EventStreamOptions extends StreamTiming {
  /** The request's id, for the answer's header. */
  requestId?: string
}

/**
 * An answer of server-sent events, written straight to the connection. Opens with the first write, or by
 * itself after a while, so that a failure that comes at once still has its own status.
 *
 * What is written within one turn of the event loop leaves as one piece: each piece costs a system call
 * and the framing of a chunk.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  #timer: NodeJS.Timeout
  #written: Buffer[] = []
  #quietLooks = 0
  #chunked = false

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.#timer = setTimeout(this.#open, options.openAfterMs)
  }

  /** Whether the client has, or is about to get, the status and headers of a stream. */
  get opened(): boolean {
    return this.#written.length > 0 || this.#response.headersSent
  }

  /** Writes whole events. False means: the client is behind, wait for `drained`. */
  write(events: Buffer): boolean {
    this.#quietLooks = 0
    if (this.#written.push(events) === 1) process.nextTick(this.#flush)
    return !this.#response.writableNeedDrain
  }

  /** A named event with JSON as its data. */
  event(name: string, data: unknown): boolean {
    return this.write(Buffer.from(eventText(name, data)))
  }

  /** What clients skip; one line. */
  comment(text: string): boolean {
    return this.write(Buffer.from(`: ${text}\n\n`))
  }

  /** Calls back once what was written has left for the client. */
  drained(callback: () => void): void {
    this.#response.once('drain', callback)
  }

  /** Writes the last events, and ends the answer. */
  end(events?: Buffer): void {
    if (events) this.#written.push(events)
    this.release()
    this.#writeHead()
    this.#response.end(this.#take(true))
  }

  /** Stops the heartbeat; for a stream that never opened, or whose client left. */
  release(): void {
    clearTimeout(this.#timer)
  }

  readonly #flush = (): void => {
    if (this.#written.length === 0 || this.#response.destroyed) return
    this.#writeHead()
    /** Sent at once: of itself Node would wait for the end of the turn, for the sake of its own framing. */
    this.#response.cork()
    this.#response.write(this.#take(false))
    this.#response.uncork()
  }

  #take(last: boolean): Buffer {
    const written = this.#written
    this.#written = []
    return this.#chunked ? httpChunk(written, last) : Buffer.concat(written)
  }

  #writeHead(): void {
    if (this.#response.headersSent) return
    const { requestId } = this.#options
    this.#response.writeHead(200, {
      ...EVENT_STREAM_HEADERS,
      ...(requestId && { 'x-request-id': requestId }),
    })
    /** The header says it by now, or not, for clients of HTTP/1.0. Node would frame with four writes. */
    this.#chunked = this.#response.chunkedEncoding
    this.#response.chunkedEncoding = false
  }

  readonly #open = (): void => {
    if (!this.opened) this.write(Buffer.from(HEARTBEAT_TEXT))
    this.#timer = setInterval(this.#look, this.#options.heartbeatMs / LOOKS)
  }

  /** A client that is behind needs no sign of life: it has enough to read. */
  readonly #look = (): void => {
    this.#quietLooks++
    if (this.#quietLooks < LOOKS || this.#response.writableNeedDrain) return
    this.write(Buffer.from(HEARTBEAT_TEXT))
  }
}
