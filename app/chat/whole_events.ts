import { GrowingBuffer } from '#bounded/growing_buffer'

const LF = 0x0a
const CR = 0x0d

/** How many bytes of an event's end may have arrived with the piece before. */
const SEAM_BYTES = 2

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
    const end = endOfEvents(bytes)
    if (end === bytes.length) return this.#withHeld(bytes)
    if (end > 0) {
      const whole = this.#withHeld(bytes.subarray(0, end))
      this.#held.add(bytes.subarray(end))
      return whole
    }
    const rest = this.#restOfEnd(bytes)
    if (rest > 0) {
      const whole = this.#withHeld(bytes.subarray(0, rest))
      this.#held.add(bytes.subarray(rest))
      return whole
    }
    this.#held.add(bytes)
    return this.#held.size > MAX_HELD_BYTES ? this.#held.take() : null
  }

  /** Returns the remainder of a stream that ended inside an event. */
  rest(): Buffer {
    return this.#held.take()
  }

  /** Returns how many of these bytes complete an event terminator that began in the held bytes. */
  #restOfEnd(bytes: Buffer): number {
    const before = this.#held.end(SEAM_BYTES)
    const end = endOfEvents(Buffer.concat([before, bytes.subarray(0, SEAM_BYTES)]))
    return Math.max(0, end - before.length)
  }

  #withHeld(bytes: Buffer): Buffer {
    if (this.#held.size === 0) return bytes
    this.#held.add(bytes)
    return this.#held.take()
  }
}

/** Returns where the last complete event ends: after a blank line, whose lines end with LF or CRLF. 0 if there is none. */
function endOfEvents(bytes: Buffer): number {
  const { length } = bytes
  if (bytes[length - 1] === LF) {
    const before = bytes[length - 2] === CR ? length - 3 : length - 2
    if (bytes[before] === LF) return length
  }
  const lf = bytes.lastIndexOf('\n\n')
  const crlf = bytes.lastIndexOf('\n\r\n')
  return Math.max(lf === -1 ? 0 : lf + 2, crlf === -1 ? 0 : crlf + 3)
}
