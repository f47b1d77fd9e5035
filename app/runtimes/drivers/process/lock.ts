import { randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'
import type { ProcessIdentity, ProcessTable } from '#runtimes/drivers/process/table'

/** How often a lock that another process holds is looked at. */
const LOOK_MS = 25

/**
 * A lock between processes: Mosaic's server and its commands may act on the same agent at once. It is a
 * file that names its holder; when that process has ended, the lock is free.
 */
export class FileLock {
  readonly #table: ProcessTable

  constructor(table: ProcessTable) {
    this.#table = table
  }

  /** Runs the task while holding the lock. Waits for another holder up to `timeoutMs`, or to the signal. */
  async run<Value>(
    path: string,
    options: { timeoutMs: number; signal?: AbortSignal },
    task: () => Promise<Value>
  ): Promise<Value> {
    await this.#acquire(path, options)
    try {
      return await task()
    } finally {
      await rm(path, { force: true })
    }
  }

  async #acquire(
    path: string,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await this.#tryAcquire(path))) {
      signal?.throwIfAborted()
      if (performance.now() > deadline) {
        throw new RuntimeError('internal', `Another process holds ${path} for too long.`, {
          help: 'See which commands of Mosaic are running, and end the one that hangs.',
        })
      }
      await after(LOOK_MS)
    }
  }

  async #tryAcquire(path: string): Promise<boolean> {
    try {
      const file = await open(path, 'wx', 0o600)
      try {
        await file.writeFile(JSON.stringify(this.#self()))
      } finally {
        await file.close()
      }
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    await this.#breakIfLeft(path)
    return false
  }

  /** Takes a dead holder's file away. Moves it first: two who do this at once must not remove a new one. */
  async #breakIfLeft(path: string): Promise<void> {
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text === null || !this.#isLeft(text)) return

    const aside = `${path}.${randomUUID()}`
    try {
      await rename(path, aside)
    } catch {
      return
    }
    const moved = await readFile(aside, 'utf8')
    if (moved !== text) await link(aside, path).catch(() => {})
    await rm(aside, { force: true })
  }

  #isLeft(text: string): boolean {
    try {
      return this.#table.findSame(JSON.parse(text) as ProcessIdentity) === null
    } catch {
      // Its holder is about to write its name.
      return false
    }
  }

  #self(): ProcessIdentity {
    const { pid } = process
    return { pid, startTicks: this.#table.find(pid)?.startTicks ?? 0, bootId: this.#table.bootId }
  }
}
