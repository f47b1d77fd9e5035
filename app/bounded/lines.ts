import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { pieces, type Input, type InputLimits } from '#bounded/body'

const NEWLINE = 0x0a

export interface LineLimits extends Omit<InputLimits, 'maxBytes'> {
  /** Maximum bytes of one line. The input itself may be endless. */
  maxLineBytes: number
}

/** Splits incoming bytes into lines, and keeps only the current line. */
export class LineCutter {
  readonly #what: string
  readonly #maxLineBytes: number
  readonly #begun = new GrowingBuffer()

  constructor({ what, maxLineBytes }: Pick<LineLimits, 'what' | 'maxLineBytes'>) {
    this.#what = what
    this.#maxLineBytes = maxLineBytes
  }

  /**
   * Returns the lines that these bytes complete, without their line feed.
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

  /** Returns the last line if the input ended without a line feed, else null. */
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
 * Yields the lines of an input as they arrive. Leaving the loop stops the input at its source.
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
