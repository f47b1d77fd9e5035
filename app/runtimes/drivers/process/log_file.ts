import { constants, lstat, open } from 'node:fs/promises'
import { readFileEnd } from '#bounded/file'

const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants

/** A tail covers at most this much of the end. */
const TAIL_BYTES = 1024 * 1024

/**
 * One agent's log: the current file and the previous one. The agent keeps its file open across Mosaic's
 * restarts, so a full file is copied and truncated rather than renamed.
 */
export class LogFile {
  constructor(
    readonly path: string,
    readonly maxBytes: number
  ) {}

  /**
   * Keeps the file below its limit. Lines written between copy and truncation are lost; so is the copy on
   * a full disk, and it rejects, but the file has made room.
   */
  async bound(): Promise<void> {
    const size = await lstat(this.path).then(
      (file) => file.size,
      () => 0
    )
    if (size <= this.maxBytes) return
    const end = await readEnd(this.path, this.maxBytes)
    try {
      await this.#keep(end)
    } finally {
      await this.#empty()
    }
  }

  /** Returns the last lines of both files, oldest first. */
  async tail(count: number): Promise<string[]> {
    const texts = [await readEnd(this.#former, TAIL_BYTES), await readEnd(this.path, TAIL_BYTES)]
    return texts
      .flatMap((text) => text.split('\n'))
      .filter((line) => line !== '')
      .slice(-count)
  }

  async #keep(end: string): Promise<void> {
    await using former = await open(this.#former, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
    await former.writeFile(end)
  }

  async #empty(): Promise<void> {
    await using log = await open(this.path, O_WRONLY | O_NOFOLLOW)
    await log.truncate(0)
  }

  get #former(): string {
    return `${this.path}.1`
  }
}

/** Returns only whole lines, unless the last one exceeds the limit. */
async function readEnd(path: string, maxBytes: number): Promise<string> {
  try {
    const bytes = await readFileEnd(path, maxBytes)
    const text = bytes.toString('utf8')
    return bytes.length < maxBytes ? text : text.slice(text.indexOf('\n') + 1)
  } catch {
    return ''
  }
}
