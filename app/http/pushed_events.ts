import { Readable } from 'node:stream'

/** Most bytes that wait for a page: some hours of events. A page further behind does not read. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/**
 * Server-sent events that are sent as they happen, whether or not the page reads. One that does not is disconnected,
 * and finds the present state when it connects again. Respond with `streamEvents`.
 */
export class PushedEvents extends Readable {
  #ended = false

  constructor() {
    super()
    /** It may be disconnected before a response listens. */
    this.on('error', () => {})
  }

  override _read(): void {}

  /** Sends an event, formatted by `eventText`, unless the stream has ended. */
  send(text: string): void {
    if (this.#ended || this.destroyed) return
    this.push(text)
    if (this.readableLength > MOST_WAITING_BYTES) {
      this.destroy(new Error('The reader of an event stream does not read.'))
    }
  }

  /** Ends the stream once what was sent has been read. */
  end(): void {
    this.#ended = true
    this.push(null)
  }
}
