import { GrowingBuffer } from '#bounded/growing_buffer'

const END_OF_EVENT = 0x0a

/** Larger events are passed on in parts: holding them back would only cost memory. */
const MAX_HELD_BYTES = 256 * 1024

/** Splits a byte stream at event boundaries, however it is chunked, so that heartbeats can go in between. */
export class WholeEvents {
  readonly #held = new GrowingBuffer()

  /** Whether an incomplete event is held. */
  get isInside(): boolean {
    return this.#held.size > 0
  }

  /** Returns all complete events so far, or null; the start of the next one is held until its end arrives. */
  take(bytes: Buffer): Buffer | null {
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

  /** Returns the remainder of a stream that ended inside an event. */
  rest(): Buffer {
    return this.#held.take()
  }

  #withHeld(bytes: Buffer): Buffer {
    if (this.#held.size === 0) return bytes
    this.#held.add(bytes)
    return this.#held.take()
  }
}
