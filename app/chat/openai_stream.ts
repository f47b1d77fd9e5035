import type { Flow } from '#chat/upstream_call'
import { GatewayResponse } from '#chat/gateway_response'
import { GrowingBuffer } from '#bounded/growing_buffer'
import type { EventStream } from '#http/event_stream'
import { runFailure, wordsOf, type Recorded } from '#chat/failures'
import { E_AGENT_GONE } from '#chat/errors'

const END_OF_EVENT = 0x0a
const DONE = Buffer.from('data: [DONE]\n\n')

/** Stands in raw JSON only where an object really begins with "error": inside a text the quotes are escaped. */
const ERROR_FRAME = Buffer.from('{"error"')

/** An event of this size is handed on in parts: holding it back would only cost memory. */
const MAX_HELD_BYTES = 256 * 1024

/**
 * Hands a gateway's event stream on, byte for byte but for its errors, always cut at the end of an event:
 * so a comment never falls into an event, and a broken stream can still end with an error of its own.
 */
export class OpenAiStream extends GatewayResponse {
  readonly #stream: EventStream
  #flow: Flow | null = null
  readonly #held = new GrowingBuffer()
  #last: Buffer | null = null

  constructor(stream: EventStream, recorded: Recorded) {
    super(recorded)
    this.#stream = stream
  }

  protected started(_headers: unknown, flow: Flow): void {
    this.#flow = flow
  }

  protected chunk(bytes: Buffer): void {
    const events = this.#wholeEvents(bytes)
    if (events === null) return
    if (events.includes(ERROR_FRAME)) this.#throwError(events)
    this.#last = events
    if (this.#stream.write(events)) return
    this.#flow!.pause()
    this.#stream.drained(() => this.#flow!.resume())
  }

  protected finished(): void {
    const last = this.#last
    if (this.#held.size > 0 || !last?.subarray(-DONE.length).equals(DONE)) throw new E_AGENT_GONE()
    this.#stream.end()
  }

  /** All complete events so far; the beginning of the next is held back until its end is there. */
  #wholeEvents(bytes: Buffer): Buffer | null {
    const length = bytes.length
    if (bytes[length - 1] === END_OF_EVENT && bytes[length - 2] === END_OF_EVENT) {
      return this.#withHeld(bytes)
    }
    const end = bytes.lastIndexOf('\n\n')
    if (end !== -1) {
      const whole = this.#withHeld(bytes.subarray(0, end + 2))
      this.#held.add(bytes.subarray(end + 2))
      return whole
    }
    if (this.#held.lastByte === END_OF_EVENT && bytes[0] === END_OF_EVENT) {
      const whole = this.#withHeld(bytes.subarray(0, 1))
      this.#held.add(bytes.subarray(1))
      return whole
    }
    this.#held.add(bytes)
    return this.#held.size > MAX_HELD_BYTES ? this.#held.take() : null
  }

  #withHeld(bytes: Buffer): Buffer {
    if (this.#held.size === 0) return bytes
    this.#held.add(bytes)
    return this.#held.take()
  }

  /** What came before the error is the client's; the error gets the reason that its owner can act on. */
  #throwError(events: Buffer): never {
    const at = events.indexOf(ERROR_FRAME)
    const before = events.lastIndexOf('\n\n', at)
    if (before !== -1) this.#stream.write(events.subarray(0, before + 2))
    const frame = events.subarray(at, events.indexOf('\n', at)).toString()
    throw runFailure(wordsOf(frame), this.recorded)
  }
}
