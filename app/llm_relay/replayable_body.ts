import { Readable } from 'node:stream'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { HeldBytes } from '#bounded/held_bytes'
import { E_AGENT_CALL_TOO_LARGE } from '#llm_relay/errors'

/** Bytes of a call kept until its answer begins: enough for a long conversation without images. */
const KEPT = 1024 * 1024

/** Limit of bytes kept by all calls. Beyond it a call continues, but cannot be repeated. */
const allKept = new HeldBytes({ ofOne: 16 * KEPT, ofAll: 64 * KEPT })

/**
 * The body of an agent's call: read once, forwarded as it arrives, and replayed from the start if the call
 * must be repeated. Fails with E_AGENT_CALL_TOO_LARGE past `limit`.
 */
export class ReplayableBody {
  readonly #source: AsyncIterator<Buffer>
  readonly #kept = new GrowingBuffer()
  #isKept = true
  #size = 0
  #isEnded = false
  #pull: Promise<Buffer | null> | null = null

  constructor(
    source: Readable,
    protected limit: number,
    /** The agent making the call. */
    protected holder = '',
    protected held = allKept
  ) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Whether everything read so far is still kept. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** Opens the body from its start. A second time only while `isKept`, and after the first reader is gone. */
  open(): Readable {
    return Readable.from(this.#pieces(), { objectMode: false })
  }

  /** Drops the kept bytes: the answer has begun. */
  release(): void {
    this.#isKept = false
    this.held.give(this.holder, this.#kept.take().length)
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    /** An abandoned reader may still have a read pending; its piece ends up among the kept bytes. */
    await this.#pull
    if (this.#size > 0) {
      const kept = this.#kept.take()
      this.#kept.add(kept)
      yield kept
    }
    while (!this.#isEnded) {
      this.#pull = this.#read()
      const piece = await this.#pull
      this.#pull = null
      if (piece) yield piece
    }
  }

  async #read(): Promise<Buffer | null> {
    try {
      const { value, done } = await this.#source.next()
      this.#isEnded = done === true
      if (done) return null
      this.#size += value.length
      if (this.#size > this.limit) throw new E_AGENT_CALL_TOO_LARGE()
      if (this.#size > KEPT) this.release()
      if (this.#isKept) this.#keep(value)
      return value
    } catch (error) {
      this.release()
      throw error
    }
  }

  #keep(piece: Buffer): void {
    if (this.held.take(this.holder, piece.length)) this.#kept.add(piece)
    else this.release()
  }
}
