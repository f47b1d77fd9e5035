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
  readonly #byName = new Map<string, OwnChild>()

  constructor(table: ProcTable) {
    this.#table = table
  }

  /** Registers a new child. `onExit` is called once it has ended and the reason is known. */
  add(
    name: string,
    run: Run,
    { exited }: Launched,
    log: LogFile,
    onExit: (exit: RunExit) => void
  ): void {
    const killsBefore = this.#table.outOfMemoryKills()
    const exit = exited.then(async (end) => {
      const killed = this.#table.outOfMemoryKills() > killsBefore
      return explainExit(end, killed, await log.tail(LAST_LINES))
    })
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
}
