import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { RuntimeError } from '#runtimes/errors'
import {
  FOLDER_MARK,
  type AgentFolder,
  type AgentUser,
} from '#runtimes/drivers/process/agent_folder'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'

/** A killed process is gone within this time, unless it hangs in the kernel. */
const KILL_DEADLINE_MS = 10_000
const LOOK_MS = 20

/** Ends agents' processes, and no others. */
export class Terminator {
  readonly #table: ProcTable
  readonly #sandboxes: () => Sandboxes | null

  /** @param sandboxes returns the folder's sandboxes once it is open; null if agents have none */
  constructor(table: ProcTable, sandboxes: () => Sandboxes | null = () => null) {
    this.#table = table
    this.#sandboxes = sandboxes
  }

  /**
   * Asks an agent's process group to end, kills it after `graceMs`, and then kills all other processes
   * of the agent: it may have started some that left its group.
   */
  async end(record: AgentRecord, folder: AgentFolder, graceMs: number): Promise<void> {
    const { run } = record
    if (run && this.#table.findSame(run)) {
      signalGroup(run.pid, 'SIGTERM')
      this.#sandboxes()?.cgroups?.freeze(record.name, false)
      signalGroup(run.pid, 'SIGCONT')
      await this.#groupGone(run.pid, graceMs)
      signalGroup(run.pid, 'SIGKILL')
    }
    await this.killRest(record, folder)
  }

  /** Kills all processes of an agent, and resolves when none is left. */
  async killRest(record: AgentRecord, folder: AgentFolder): Promise<void> {
    const deadline = performance.now() + KILL_DEADLINE_MS
    for (;;) {
      this.#sandboxes()?.cgroups?.kill(record.name)
      // Listing alone proves nothing: a process that keeps changing its pid can escape every listing.
      const struck = !record.user || this.#sandboxes() !== null || (await killAllOf(record.user))
      const left = await this.#ofAgent(record, folder)
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
      // Stop all before killing the first, or they could fork faster than they are listed.
      for (const pid of left) signal(pid, 'SIGSTOP')
      for (const pid of left) signal(pid, 'SIGKILL')
      await after(LOOK_MS)
    }
    this.#sandboxes()?.cgroups?.remove(record.name)
  }

  /** Finds them by the agent's own user, or else by a variable that each of them inherited. */
  async #ofAgent({ user }: AgentRecord, { state, mark }: AgentFolder): Promise<number[]> {
    // Agents started by Mosaic before it had the mark have only the other variable.
    const variables = { [FOLDER_MARK]: mark, OPENCLAW_STATE_DIR: state }
    const started = () => this.#table.withVariable(variables)
    if (!user) return (await started()).filter((pid) => pid !== process.pid)
    const all = await this.#table.ofUser(user.uid)
    if (!this.#sandboxes()) return all
    // An agent of another folder may have the same user, in a sandbox of its own.
    const ours = new Set([...this.#table.outsideSandboxes(all), ...(await started())])
    // An agent can drop its variables, so its first process also counts if the parent matches: the
    // parent created the sandbox and belongs to root.
    return all.filter((pid) => ours.has(pid) || ours.has(this.#table.find(pid)?.parent ?? 0))
  }

  async #groupGone(group: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (performance.now() < deadline) {
      // Zombies still accept signals, so the process table decides.
      if (!signalGroup(group, 0) || (await this.#table.inGroup(group)).length === 0) return
      await after(LOOK_MS)
    }
  }
}

/**
 * Kills all processes of a user in one system call, during which none of them can fork. It must run as
 * that user: as root it would kill every process of the machine.
 *
 * @returns false if the call was not made: the user's processes may kill the caller first
 */
async function killAllOf({ uid, gid }: AgentUser): Promise<boolean> {
  if (uid === 0) return true
  const killer = spawn('/bin/sh', ['-c', 'kill -KILL -1'], { uid, gid, cwd: '/', stdio: 'ignore' })
  // It exits with 1 if there was nothing to kill.
  const [code] = await once(killer, 'exit').catch(() => [null])
  return code !== null
}

/** Sends a signal to a process group. Returns whether the group exists. */
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
