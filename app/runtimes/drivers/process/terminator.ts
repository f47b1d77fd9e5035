import { setTimeout as after } from 'node:timers/promises'
import { RuntimeError } from '#runtimes/errors'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'

/** A killed process is gone within this, unless it hangs in the kernel. */
const KILL_DEADLINE_MS = 10_000
const LOOK_MS = 20

/** Ends the processes of agents, and only those. */
export class Terminator {
  readonly #table: ProcTable

  constructor(table: ProcTable) {
    this.#table = table
  }

  /**
   * Asks an agent's process group to end, kills it after `graceMs`, and then whatever else of the agent
   * runs: an agent may have started processes that left its group.
   */
  async end(record: AgentRecord, stateFolder: string, graceMs: number): Promise<void> {
    const { run } = record
    if (run && this.#table.findSame(run)) {
      signalGroup(run.pid, 'SIGTERM')
      signalGroup(run.pid, 'SIGCONT')
      await this.#groupGone(run.pid, graceMs)
      signalGroup(run.pid, 'SIGKILL')
    }
    await this.killRest(record, stateFolder)
  }

  /** Kills all that runs of an agent. */
  async killRest(record: AgentRecord, stateFolder: string): Promise<void> {
    const deadline = performance.now() + KILL_DEADLINE_MS
    for (;;) {
      const left = await this.#ofAgent(record, stateFolder)
      if (left.length === 0) return
      if (performance.now() > deadline) {
        throw new RuntimeError('internal', `Processes ${left.join(', ')} cannot be ended.`, {
          help: 'They hang in the kernel, mostly over a disk that does not answer.',
        })
      }
      for (const pid of left) signal(pid, 'SIGKILL')
      await after(LOOK_MS)
    }
  }

  /** By their own user where the agent has one; else by the variable that each of them inherited. */
  async #ofAgent({ user }: AgentRecord, stateFolder: string): Promise<number[]> {
    if (user) return this.#table.ofUser(user.uid)
    const found = await this.#table.withVariable('OPENCLAW_STATE_DIR', stateFolder)
    return found.filter((pid) => pid !== process.pid)
  }

  async #groupGone(group: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (performance.now() < deadline) {
      // Members that ended but were not collected answer signals too: then the table knows better.
      if (!signalGroup(group, 0) || (await this.#table.inGroup(group)).length === 0) return
      await after(LOOK_MS)
    }
  }
}

/** Sends a signal to a process group, and tells whether there was one. */
export function signalGroup(group: number, name: NodeJS.Signals | 0): boolean {
  return signal(-group, name)
}

function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
