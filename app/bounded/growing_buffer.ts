/** The first allocation, in bytes; most inputs are smaller. */
const FIRST_BYTES = 4096

/**
 * Collects bytes that arrive in pieces in one allocation. A list of pieces would cost a few hundred
 * bytes for each, and the sender decides their number: at one byte per piece, a body of 30 MB would
 * take 10 GB.
 */
export class GrowingBuffer {
  #bytes = Buffer.alloc(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  get lastByte(): number | undefined {
    return this.#size === 0 ? undefined : this.#bytes[this.#size - 1]
  }

  add(piece: Uint8Array): void {
    const needed = this.#size + piece.length
    if (needed > this.#bytes.length) this.#grow(needed)
    this.#bytes.set(piece, this.#size)
    this.#size = needed
  }

  /** Returns all bytes so far, and clears the buffer. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#size)
    this.#bytes = Buffer.alloc(0)
    this.#size = 0
    return taken
  }

  /** Doubles the size, so that each byte is copied twice on average. */
  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
  }
}
