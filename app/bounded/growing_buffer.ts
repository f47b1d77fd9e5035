/** The first allocation, in bytes; most inputs are smaller. */
const FIRST_BYTES = 4096

const EMPTY = Buffer.alloc(0)

/**
 * Collects bytes that arrive in pieces in one allocation. A list of pieces would cost a few hundred
 * bytes for each, and the sender decides their number: at one byte per piece, a body of 30 MB would
 * take 10 GB. A single small piece is kept without a copy.
 */
export class GrowingBuffer {
  #bytes: Buffer = EMPTY
  #size = 0
  /** Whether `#bytes` is the sender's piece, which must not be written to. */
  #isPiece = false

  get size(): number {
    return this.#size
  }

  /** Returns the last bytes, at most this many. */
  end(length: number): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#size - length), this.#size)
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    if (this.#size === 0 && isSmall(piece)) return this.#keep(piece)
    const needed = this.#size + piece.length
    if (this.#isPiece || needed > this.#bytes.length) this.#grow(needed)
    this.#bytes.set(piece, this.#size)
    this.#size = needed
  }

  /** Returns all bytes so far, and clears the buffer. */
  take(): Buffer {
    const taken = this.#isPiece ? this.#bytes : this.#bytes.subarray(0, this.#size)
    this.#bytes = EMPTY
    this.#size = 0
    this.#isPiece = false
    return taken
  }

  #keep(piece: Buffer): void {
    this.#bytes = piece
    this.#size = piece.length
    this.#isPiece = true
  }

  /** Doubles the size, so that each byte is copied twice on average. */
  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
    this.#isPiece = false
  }
}

/** Whether keeping a piece keeps no more alive than a copy would. Pieces of Node's shared pool do. */
const isSmall = ({ length, buffer }: Buffer) =>
  buffer.byteLength <= Math.max(FIRST_BYTES, 2 * length)
