import type { Run, RunExit } from '#runtimes/drivers/process/records'

/** Records how this process's children ended, for other and later processes, until closed. */
export class ExitNotes {
  readonly #writing = new Set<Promise<void>>()
  #closed = false

  constructor(private readonly write: (name: string, run: Run, exit: RunExit) => Promise<void>) {}

  /**
   * Drops a note that cannot be written: this process still knows the exit, and the next write that matters
   * reports the full disk.
   */
  add(name: string, run: Run, exit: RunExit): void {
    if (this.#closed) return
    const writing = this.write(name, run, exit)
      .catch(() => {})
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  /** Waits for pending writes, and accepts no more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#writing)
  }
}
