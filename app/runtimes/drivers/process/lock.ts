import { randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { readlink, rename, rm, symlink } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'

/** Poll interval for a lock that another process holds. */
const LOOK_MS = 25

/**
 * A lock between processes: Mosaic's server and its commands may act on the same agent at once. It is a
 * dangling symbolic link that names its holder, because links are created atomically, even on a full
 * disk. The lock is free once its holder has ended.
 */
export class FileLock {
  readonly #table: ProcTable

  constructor(table: ProcTable) {
    this.#table = table
  }

  /**
   * Runs the task while holding the lock. Waits for another holder up to `timeoutMs`, or until the
   * signal aborts.
   */
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
      await symlink(this.#self(), path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    await this.#breakIfLeft(path)
    return false
  }

  /**
   * Removes a dead holder's link. Moves it first, so that two processes doing this at once cannot
   * remove a new link.
   */
  async #breakIfLeft(path: string): Promise<void> {
    const holder = await readlink(path).catch(() => null)
    if (holder === null || this.#lives(holder)) return

    const aside = `${path}.${randomUUID()}`
    try {
      await rename(path, aside)
    } catch {
      return
    }
    const moved = await readlink(aside)
    if (moved !== holder) await symlink(moved, path).catch(() => {})
    await rm(aside, { force: true })
  }

  #lives(holder: string): boolean {
    const [pid, startTicks, bootId] = holder.split(':')
    const identity = { pid: Number(pid), startTicks: Number(startTicks), bootId }
    return this.#table.findSame(identity) !== null
  }

  #self(): string {
    const { pid } = process
    return [pid, this.#table.find(pid)?.startTicks ?? 0, this.#table.bootId].join(':')
  }
}
