import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Observed } from '#runtimes/contract'
import type { EventFeed } from '#runtimes/event_feed'
import type { AgentRecord, Run } from '#runtimes/drivers/process/records'

/** Poll interval for exits that the system does not report. A check takes microseconds per agent. */
const LOOK_MS = 500

/** The folder is reread every so many checks, for agents started by another process of Mosaic. */
const READ_EVERY = 10

/** Checks before yielding to other work: under a millisecond. */
const AT_ONCE = 50

type Status = Observed['status']

interface Seen {
  run: Run
  status: Status
}

/**
 * Notices changes of agents, whichever process started them, and emits events. It never keeps this
 * process alive.
 */
export class Watcher {
  readonly #seen = new Map<string, Seen>()
  #timer: NodeJS.Timeout | null = null
  #looks = 0
  #since = 0

  constructor(
    private readonly status: (name: string, run: Run) => Status,
    /** Whether the system itself reports to this process how that run ends. */
    private readonly isOwn: (name: string, run: Run) => boolean,
    private readonly feed: EventFeed,
    private readonly now: () => number,
    /** The records of this installation. */
    private readonly records: () => AsyncIterable<AgentRecord>,
    /** Called for each living agent every few seconds. Its failure concerns that agent only. */
    private readonly onLiving: (record: AgentRecord) => Promise<void>
  ) {}

  start(): void {
    if (this.#timer) return
    this.#since = this.now()
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#seen.clear()
  }

  /** Records an agent's state and emits what changed since the last time. */
  note(name: string, run: Run | null): void {
    const before = this.#seen.get(name)
    if (!run) {
      if (this.#seen.delete(name)) this.#tell('removed', name)
      return
    }
    // The record was read before the last start was noted.
    if (before && isLater(before.run, run)) return
    const status = this.status(name, run)
    this.#seen.set(name, { run, status })
    const sameRun = before?.run.pid === run.pid && before.run.startTicks === run.startTicks
    if (sameRun && before.status === status) return
    if (!sameRun) {
      if (before && before.status !== 'exited') this.#tell('exited', name)
      // Runs from before this watcher began are not new.
      const isNew = Date.parse(run.startedAt) >= this.#since
      if (status !== 'exited' && isNew) this.#tell('started', name)
      return
    }
    if (status === 'exited') this.#tell('exited', name)
    else this.#tell(status === 'suspended' ? 'suspended' : 'resumed', name)
  }

  /** Checks one agent now. */
  check(name: string): void {
    const seen = this.#seen.get(name)
    if (seen) this.note(name, seen.run)
  }

  /** Mosaic learns of its child's end from the system, but must look whether another Mosaic suspended it. */
  #isSuspensionChange(name: string, { run, status }: Seen): boolean {
    const now = this.status(name, run)
    return now !== 'exited' && now !== status
  }

  async #look(): Promise<void> {
    let looked = 0
    for (const [name, seen] of this.#seen) {
      if (!this.isOwn(name, seen.run) || this.#isSuspensionChange(name, seen)) this.check(name)
      if (++looked % AT_ONCE === 0) await nextTurn()
    }
    if (this.#looks++ % READ_EVERY !== 0) return
    const known = [...this.#seen.keys()]
    try {
      const present = new Set<string>()
      for await (const record of this.records()) {
        const { name, run } = record
        if (!run) continue
        present.add(name)
        this.note(name, run)
        if (this.#seen.get(name)?.status !== 'exited') await this.onLiving(record).catch(() => {})
      }
      for (const name of known) {
        if (!present.has(name)) this.note(name, null)
      }
    } catch {
      // The folder is unreadable at the moment; the next check tries again.
    }
  }

  #tell(type: 'started' | 'exited' | 'suspended' | 'resumed' | 'removed', name: string): void {
    this.feed.emit({ type, name, at: new Date(this.now()) })
  }
}

/** Compares by the kernel's ticks: the clock may have been set back. A run before the last boot is over. */
const isLater = (one: Run, other: Run) =>
  one.bootId === other.bootId && one.startTicks > other.startTicks
