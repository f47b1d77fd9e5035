import type { ServerResponse } from 'node:http'
import { httpChunk } from '#http/http_chunk'
import { EVENT_STREAM_HEADERS, eventText, HEARTBEAT_TEXT } from '#http/server_sent_events'
import type { StreamTiming } from '#http/stream_timing'

/**
 * Checks per heartbeat interval. A silence is noticed at the second check, so at most one interval
 * after it began.
 */
const LOOKS = 2

/**
 * Most bytes that wait for a client. One further behind is disconnected: it does not read, and some senders
 * do not wait for it.
 */
const MOST_WAITING_BYTES = 16 * 1024 * 1024

export interface EventStreamOptions extends StreamTiming {
  /** The request's id, for the response header. */
  requestId?: string
}

/**
 * A response of server-sent events, written straight to the connection. It opens with the first write,
 * or by itself after a while, so that an early failure can still set the status.
 *
 * All writes within one turn of the event loop are sent as one chunk, because each chunk costs a system
 * call and its framing. Strings are Latin-1, one character for each byte: Node writes them with the headers,
 * where a buffer takes a write of its own.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  #timer: NodeJS.Timeout
  #written = ''
  #quietLooks = 0
  #chunked = false

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.#timer = setTimeout(this.#open, options.openAfterMs)
  }

  /** Whether the status and headers of a stream have been sent, or are about to be. */
  get opened(): boolean {
    return this.#written !== '' || this.#response.headersSent
  }

  /** Writes whole events, unless the client has left. Returns false if it is behind: wait for `drained`. */
  write(events: Buffer | string): boolean {
    if (this.#response.destroyed) return true
    this.#quietLooks = 0
    if (this.#written === '') process.nextTick(this.#flush)
    this.#written += latin1(events)
    if (!this.#response.writableNeedDrain) return true
    if (this.#response.writableLength > MOST_WAITING_BYTES) this.#response.destroy()
    return false
  }

  /** Writes a named event with JSON data. */
  event(name: string, data: unknown): boolean {
    return this.write(Buffer.from(eventText(name, data)))
  }

  /** Writes a one-line comment, which clients ignore. */
  comment(text: string): boolean {
    return this.write(Buffer.from(`: ${text}\n\n`))
  }

  /** Calls back once all writes have been sent to the client. */
  drained(callback: () => void): void {
    this.#response.once('drain', callback)
  }

  /** Writes the last events, and ends the response. */
  end(events: Buffer | string = ''): void {
    this.#written += latin1(events)
    this.release()
    this.#send(true)
    this.#response.end()
  }

  /** Stops the heartbeat; for a stream that never opened, or whose client has left. */
  release(): void {
    clearTimeout(this.#timer)
  }

  readonly #flush = (): void => {
    if (this.#written !== '' && !this.#response.destroyed) this.#send(false)
  }

  #send(last: boolean): void {
    this.#writeHead()
    const text = this.#chunked ? httpChunk(this.#written, last) : this.#written
    this.#written = ''
    if (text === '') return
    /** Sends at once: Node would delay the write to the end of the turn, for its own framing. */
    this.#response.cork()
    this.#response.write(text, 'latin1')
    this.#response.uncork()
  }

  #writeHead(): void {
    if (this.#response.headersSent) return
    const { requestId } = this.#options
    this.#response.writeHead(200, {
      ...EVENT_STREAM_HEADERS,
      ...(requestId && { 'x-request-id': requestId }),
    })
    /**
     * Reads the framing chosen with the header: chunked, or none for HTTP/1.0 clients. Node's own
     * framing takes four writes.
     */
    this.#chunked = this.#response.chunkedEncoding
    this.#response.chunkedEncoding = false
  }

  readonly #open = (): void => {
    if (!this.opened) this.write(HEARTBEAT_TEXT)
    this.#timer = setInterval(this.#look, this.#options.heartbeatMs / LOOKS)
  }

  /** A client that is behind needs no heartbeat: it has enough to read. */
  readonly #look = (): void => {
    this.#quietLooks++
    if (this.#quietLooks < LOOKS || this.#response.writableNeedDrain) return
    this.write(HEARTBEAT_TEXT)
  }
}

const latin1 = (events: Buffer | string): string =>
  typeof events === 'string' ? events : events.toString('latin1')
