import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { RuntimeError } from '#runtimes/errors'
import type { AgentUser } from '#runtimes/drivers/process/agent_folder'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'

/** A killed process is gone within this, unless it hangs in the kernel. */
const KILL_DEADLINE_MS = 10_000
const LOOK_MS = 20

/** Ends the processes of agents, and only those. */
export class Terminator {
  readonly #table: ProcTable
  readonly #sandboxes: () => Sandboxes | null

  /** @param sandboxes those of the folder, once it is open; null where agents have none */
  constructor(table: ProcTable, sandboxes: () => Sandboxes | null = () => null) {
    this.#table = table
    this.#sandboxes = sandboxes
  }

  /**
   * Asks an agent's process group to end, kills it after `graceMs`, and then whatever else of the agent
   * runs: an agent may have started processes that left its group.
   */
  async end(record: AgentRecord, stateFolder: string, graceMs: number): Promise<void> {
    const { run } = record
    if (run && this.#table.findSame(run)) {
      signalGroup(run.pid, 'SIGTERM')
      this.#sandboxes()?.cgroups?.freeze(record.name, false)
      signalGroup(run.pid, 'SIGCONT')
      await this.#groupGone(run.pid, graceMs)
      signalGroup(run.pid, 'SIGKILL')
    }
    await this.killRest(record, stateFolder)
  }

  /** Kills all that runs of an agent, and resolves when nothing does. */
  async killRest(record: AgentRecord, stateFolder: string): Promise<void> {
    const deadline = performance.now() + KILL_DEADLINE_MS
    for (;;) {
      this.#sandboxes()?.cgroups?.kill(record.name)
      // A look alone is no proof: who changes its pid all the time can be missed in each place.
      const struck = !record.user || this.#sandboxes() !== null || (await killAllOf(record.user))
      const left = await this.#ofAgent(record, stateFolder)
      if (struck && left.length === 0) break
      if (performance.now() > deadline) {
        throw new RuntimeError(
          'internal',
          `Processes ${left.join(', ') || 'of the agent'} cannot be ended.`,
          {
            help: 'They hang in the kernel, mostly over a disk that does not answer.',
          }
        )
      }
      // Those that fork faster than anybody lists them are stopped before the first of them is killed.
      for (const pid of left) signal(pid, 'SIGSTOP')
      for (const pid of left) signal(pid, 'SIGKILL')
      await after(LOOK_MS)
    }
    this.#sandboxes()?.cgroups?.remove(record.name)
  }

  /** By their own user where the agent has one; else by the variable that each of them inherited. */
  async #ofAgent({ user }: AgentRecord, stateFolder: string): Promise<number[]> {
    const started = () => this.#table.withVariable('OPENCLAW_STATE_DIR', stateFolder)
    if (!user) return (await started()).filter((pid) => pid !== process.pid)
    const all = await this.#table.ofUser(user.uid)
    if (!this.#sandboxes()) return all
    // Another folder's agent may have the same user, in a sandbox of its own.
    const ours = new Set([...this.#table.outsideSandboxes(all), ...(await started())])
    // An agent can forget its variables. What made its sandbox is root's, and so is the parent of its first process.
    return all.filter((pid) => ours.has(pid) || ours.has(this.#table.find(pid)?.parent ?? 0))
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

/**
 * Kills all processes of a user in one call of the kernel, during which none of them can fork. Only that user
 * may make it: for root it would mean every process of the machine.
 *
 * @returns false where it was not made: the user's processes may kill the one that makes it
 */
async function killAllOf({ uid, gid }: AgentUser): Promise<boolean> {
  if (uid === 0) return true
  const killer = spawn('/bin/sh', ['-c', 'kill -KILL -1'], { uid, gid, cwd: '/', stdio: 'ignore' })
  // Where nobody was there to be killed, it says 1.
  const [code] = await once(killer, 'exit').catch(() => [null])
  return code !== null
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
