import { GrowingBuffer } from '#bounded/growing_buffer'

const END_OF_EVENT = 0x0a

/** An event of this size is handed on in parts: holding it back would only cost memory. */
const MAX_HELD_BYTES = 256 * 1024

/** Cuts a stream of events at their ends, whatever its pieces, so that something may come between two. */
export class WholeEvents {
  readonly #held = new GrowingBuffer()

  /** Whether the beginning of an event waits for its end. */
  get isInside(): boolean {
    return this.#held.size > 0
  }

  /** All complete events so far, or null; the beginning of the next is held back until its end is there. */
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

  /** What is left where the stream ends within an event. */
  rest(): Buffer {
    return this.#held.take()
  }

  #withHeld(bytes: Buffer): Buffer {
    if (this.#held.size === 0) return bytes
    this.#held.add(bytes)
    return this.#held.take()
  }
}
