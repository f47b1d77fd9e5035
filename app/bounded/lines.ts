import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { pieces, type Input, type InputLimits } from '#bounded/body'

const NEWLINE = 0x0a

export interface LineLimits extends Omit<InputLimits, 'maxBytes'> {
  /** The most bytes of one line. The input itself may go on for ever. */
  maxLineBytes: number
}

/** Cuts bytes into lines as they come, and keeps no more than the line under way. */
export class LineCutter {
  readonly #what: string
  readonly #maxLineBytes: number
  readonly #begun = new GrowingBuffer()

  constructor({ what, maxLineBytes }: Pick<LineLimits, 'what' | 'maxLineBytes'>) {
    this.#what = what
    this.#maxLineBytes = maxLineBytes
  }

  /**
   * The lines that these bytes end, without their line feed.
   *
   * @throws E_INPUT_TOO_LARGE
   */
  push(bytes: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start)
      this.#keep(bytes.subarray(start, end === -1 ? undefined : end))
      if (end === -1) return lines
      lines.push(this.#take())
      start = end + 1
    }
  }

  /** The last line, where the input ended without a line feed; else null. */
  end(): string | null {
    return this.#begun.size === 0 ? null : this.#take()
  }

  #keep(bytes: Buffer): void {
    if (this.#begun.size + bytes.length > this.#maxLineBytes) {
      throw new E_INPUT_TOO_LARGE(this.#what, this.#maxLineBytes)
    }
    this.#begun.add(bytes)
  }

  #take(): string {
    const line = this.#begun.take().toString('utf8')
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
}

/**
 * The lines of an input, as they come. Leaving the loop ends the input at its source.
 *
 * @throws E_INPUT_TOO_LARGE for a line, and as `pieces` does
 */
export async function* readLines(input: Input, limits: LineLimits): AsyncGenerator<string> {
  const cutter = new LineCutter(limits)
  for await (const piece of pieces(input, { ...limits, maxBytes: Infinity })) {
    yield* cutter.push(piece)
  }
  const last = cutter.end()
  if (last !== null) yield last
}
