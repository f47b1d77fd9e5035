import { Readable } from 'node:stream'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { HeldBytes } from '#llm_relay/held_bytes'
import { E_AGENT_CALL_TOO_LARGE } from '#llm_relay/errors'

/** As much of a call as is kept until its answer begins, in bytes. A long conversation without images fits in. */
const KEPT = 1024 * 1024

/** What all calls keep at the same time. Beyond it one goes on, and is not sent again. */
const allKept = new HeldBytes({ ofOne: 16 * KEPT, ofAll: 64 * KEPT })

/**
 * The body of an agent's call, read once and sent on as it comes, again from its beginning where it must
 * be. Fails with E_AGENT_CALL_TOO_LARGE once it is larger than `limit`.
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
    /** Whose call it is. */
    protected holder = '',
    protected held = allKept
  ) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Whether all that was read is still there. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** The body from its beginning. A second one only while `isKept`, and after the first was left. */
  open(): Readable {
    return Readable.from(this.#pieces(), { objectMode: false })
  }

  /** Nothing has to be kept any more: the answer has begun. */
  release(): void {
    this.#isKept = false
    this.held.give(this.holder, this.#kept.take().length)
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    /** One that left may still wait for a piece: it comes among what is kept. */
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
