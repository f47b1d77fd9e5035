import type { Launched } from '#runtimes/drivers/process/spawn'
import type { LogFile } from '#runtimes/drivers/process/log_file'
import type { Run, RunExit } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import { explainExit } from '#runtimes/exit_reasons'

/** Enough to see why a process ended. */
const LAST_LINES = 40

interface OwnChild {
  run: Run
  exit: Promise<RunExit>
}

/** The agents that this very process started: of these alone the system tells how they end. */
export class Children {
  readonly #table: ProcTable
  readonly #byName = new Map<string, OwnChild>()

  constructor(table: ProcTable) {
    this.#table = table
  }

  /** Takes note of a child just started. `onExit` is called when it has ended and it is known why. */
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

  /** How that run ended: at once when it already has; null when it was not started here. */
  exitOf(name: string, run: Run): Promise<RunExit> | null {
    const child = this.#byName.get(name)
    return child?.run.pid === run.pid && child.run.startedAt === run.startedAt ? child.exit : null
  }

  forget(name: string): void {
    this.#byName.delete(name)
  }
}
