import { open, stat, truncate, writeFile } from 'node:fs/promises'

/** No line of a tail lies further from the end than this. */
const TAIL_BYTES = 1024 * 1024

/**
 * The log of one agent: the file it appends to, and the one before. The agent keeps its file open across
 * Mosaic's restarts, so a full one is copied and emptied rather than renamed.
 */
export class LogFile {
  constructor(
    readonly path: string,
    readonly maxBytes: number
  ) {}

  /** Keeps the file below its limit. Lines written between copying and emptying are lost. */
  async bound(): Promise<void> {
    const size = await stat(this.path).then(
      (file) => file.size,
      () => 0
    )
    if (size <= this.maxBytes) return
    await writeFile(this.#former, await readEnd(this.path, this.maxBytes), { mode: 0o600 })
    await truncate(this.path, 0)
  }

  /** The last lines of both files, oldest first. */
  async tail(count: number): Promise<string[]> {
    const texts = [await readEnd(this.#former, TAIL_BYTES), await readEnd(this.path, TAIL_BYTES)]
    return texts
      .flatMap((text) => text.split('\n'))
      .filter((line) => line !== '')
      .slice(-count)
  }

  get #former(): string {
    return `${this.path}.1`
  }
}

async function readEnd(path: string, bytes: number): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    const length = Math.min(size, bytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    const text = buffer.toString('utf8', 0, bytesRead)
    return length < size ? text.slice(text.indexOf('\n') + 1) : text
  } catch {
    return ''
  }
}
