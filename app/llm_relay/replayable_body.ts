import { Readable } from 'node:stream'
import { E_AGENT_CALL_TOO_LARGE } from '#llm_relay/errors'

/** As much of a call as is kept until its answer begins, in bytes. A long conversation without images fits in. */
const KEPT = 1024 * 1024

/**
 * The body of an agent's call, read once and sent on as it comes, again from its beginning where it must
 * be. Fails with E_AGENT_CALL_TOO_LARGE once it is larger than `limit`.
 */
export class ReplayableBody {
  readonly #source: AsyncIterator<Buffer>
  #chunks: Buffer[] = []
  #size = 0
  #isEnded = false
  #isKept = true
  #pull: Promise<void> | null = null

  constructor(
    source: Readable,
    protected limit: number
  ) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Whether all that was read is still there. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** The body from its beginning. A second one only while `isKept`. */
  open(): Readable {
    return Readable.from(this.#pieces(), { objectMode: false })
  }

  /** Nothing has to be kept any more: the answer has begun. */
  release(): void {
    this.#isKept = false
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    for (let next = 0; ;) {
      if (next < this.#chunks.length) {
        yield this.#chunks[next++]
        continue
      }
      if (this.#isEnded) return
      if (!this.#isKept) {
        this.#chunks = []
        next = 0
      }
      this.#pull ??= this.#read().finally(() => (this.#pull = null))
      await this.#pull
    }
  }

  async #read(): Promise<void> {
    try {
      const { value, done } = await this.#source.next()
      if (done) {
        this.#isEnded = true
        return
      }
      this.#size += value.length
      if (this.#size > this.limit) throw new E_AGENT_CALL_TOO_LARGE()
      if (this.#size > KEPT) this.#isKept = false
      this.#chunks.push(value)
    } catch (error) {
      this.#isKept = false
      throw error
    }
  }
}
