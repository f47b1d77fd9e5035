import type { AgentCgroups } from '#runtimes/drivers/process/sandbox/cgroups'
import type { Launched } from '#runtimes/drivers/process/spawn'
import type { LogFile } from '#runtimes/drivers/process/log_file'
import type { Run, RunExit } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import { explainExit } from '#runtimes/exit_reasons'

/** Enough lines to show why a process exited. */
const LAST_LINES = 40

interface OwnChild {
  run: Run
  exit: Promise<RunExit>
}

/** Agents that this process started. The system reports exit statuses only to the parent. */
export class Children {
  readonly #table: ProcTable
  readonly #cgroups: () => AgentCgroups | null
  readonly #byName = new Map<string, OwnChild>()

  constructor(table: ProcTable, cgroups: () => AgentCgroups | null) {
    this.#table = table
    this.#cgroups = cgroups
  }

  /** Registers a new child. `onExit` is called once it has ended and the reason is known. */
  add(
    name: string,
    run: Run,
    { exited }: Launched,
    log: LogFile,
    onExit: (exit: RunExit) => void
  ): void {
    const wasKilledForMemory = this.#watchMemoryKills(name)
    const exit = exited.then(async (end) =>
      explainExit(end, wasKilledForMemory(), await log.tail(LAST_LINES))
    )
    this.#byName.set(name, { run, exit })
    void exit.then(onExit)
  }

  /** Resolves with the end of a run, at once if it has ended. Null if it was not started here. */
  exitOf(name: string, run: Run): Promise<RunExit> | null {
    const child = this.#byName.get(name)
    return child?.run.pid === run.pid && child.run.startedAt === run.startedAt ? child.exit : null
  }

  forget(name: string): void {
    this.#byName.delete(name)
  }

  /**
   * Returns a function that tells whether the kernel has killed one of the agent's processes for lack of memory since
   * this call. Without a cgroup that counts such kills, a kill of any process on the machine counts.
   */
  #watchMemoryKills(name: string): () => boolean {
    const own = () => this.#cgroups()?.outOfMemoryKills(name) ?? null
    const count = own() === null ? () => this.#table.outOfMemoryKills() : own
    const before = count() ?? 0
    return () => (count() ?? 0) > before
  }
}
