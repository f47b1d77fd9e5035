import type { Run, RunExit } from '#runtimes/drivers/process/records'

/** Writes down how children of this process ended, for other processes and later ones; until it is closed. */
export class ExitNotes {
  readonly #writing = new Set<Promise<void>>()
  #closed = false

  constructor(private readonly write: (name: string, run: Run, exit: RunExit) => Promise<void>) {}

  /** A note that fails is dropped: the exit is still known here, and a full disk is told by what needs it. */
  add(name: string, run: Run, exit: RunExit): void {
    if (this.#closed) return
    const writing = this.write(name, run, exit)
      .catch(() => {})
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  /** Waits for what is being written, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#writing)
  }
}
