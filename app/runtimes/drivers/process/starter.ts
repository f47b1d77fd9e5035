import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import { NEEDED_BYTES, type FreeBytes } from '#runtimes/disk_space'
import {
  installPaths,
  type InstallPaths,
  type InstallPathsInput,
} from '#runtimes/drivers/process/install_paths'
import { PortPool } from '#runtimes/drivers/process/port_pool'
import { spawnLauncher } from '#runtimes/drivers/process/spawn'
import type { AgentFolder } from '#runtimes/drivers/process/agent_folder'
import type { Children } from '#runtimes/drivers/process/children'
import type { Terminator } from '#runtimes/drivers/process/terminator'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import { agentAddress } from '#runtimes/drivers/process/sandbox/gate'
import { viewOf } from '#runtimes/drivers/process/sandbox/view'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import type { AgentRecord, Run, RunExit } from '#runtimes/drivers/process/records'

export interface StarterParts {
  paths: InstallPathsInput
  ownUsers: boolean
  freeBytes: FreeBytes
  now: () => number
  table: ProcTable
  children: Children
  terminator: Terminator
  /** Null if agents run among the machine's own processes. */
  sandboxes: () => Sandboxes | null
  /** Called when a process started here has ended. */
  onExit: (name: string, run: Run, exit: RunExit) => void
}

/** The port of every sandboxed gateway; each sandbox has its own network. */
const SANDBOX_PORT = 18789

/** Starts an agent from its record. */
export class Starter {
  readonly #parts: StarterParts
  readonly #ports = new PortPool()

  constructor(parts: StarterParts) {
    this.#parts = parts
  }

  /**
   * Starts the agent and stores the run in its record. Call it while no one else changes the agent.
   *
   * @throws RuntimeError, or the reason of the signal; then nothing of the agent runs
   */
  async start(
    agents: AgentRegistry,
    before: AgentRecord,
    spec: InstanceSpec,
    signal: AbortSignal
  ): Promise<Run> {
    const { terminator, ownUsers } = this.#parts
    const where = await installPaths(this.#parts.paths, ownUsers)
    await this.#demandRoom(agents)
    await terminator.killRest(before, agents.folder(before))
    const record = await agents.adaptUser(before)
    const folder = agents.folder(record)
    await folder.prepare(spec.token)
    await agents.log(record).bound()
    signal.throwIfAborted()

    const { address, port, child } = await this.#launch(spec, record, folder, where)
    const run = { ...this.#newRun(child.pid, spec), address, port }
    this.#parts.children.add(spec.name, run, child, agents.log(record), (exit) => {
      this.#ports.release(port)
      this.#parts.onExit(spec.name, run, exit)
    })
    try {
      signal.throwIfAborted()
      await agents.save({ ...record, run })
      return run
    } catch (error) {
      await terminator.end({ ...record, run }, folder, 0)
      throw error
    }
  }

  async #launch(spec: InstanceSpec, record: AgentRecord, folder: AgentFolder, paths: InstallPaths) {
    const sandboxes = this.#parts.sandboxes()
    const { user } = record
    if (sandboxes && user) {
      const view = await viewOf(folder, paths)
      const input = await sandboxes.plan({ ...record, user }, folder, view, spec.limits)
      const port = SANDBOX_PORT
      const child = await spawnLauncher({ spec, folder, paths, port, sandbox: { view, input } })
      return { address: agentAddress(user.uid), port, child }
    }
    const port = await this.#ports.take(record.run?.port)
    const launch = { spec, folder, paths, port, sandbox: null }
    const child = await spawnLauncher(launch).catch((error) => {
      this.#ports.release(port)
      throw error
    })
    return { address: null, port, child }
  }

  #newRun(pid: number, spec: InstanceSpec): Omit<Run, 'address' | 'port'> {
    const { table, now } = this.#parts
    return {
      pid,
      startTicks: table.find(pid)?.startTicks ?? 0,
      bootId: table.bootId,
      generation: spec.generation,
      specHash: spec.hash,
      startedAt: new Date(now()).toISOString(),
      stopRequested: false,
      exit: null,
    }
  }

  async #demandRoom(agents: AgentRegistry): Promise<void> {
    const left = await this.#parts.freeBytes(agents.path)
    if (left >= NEEDED_BYTES) return
    throw new RuntimeError('no_capacity', `The disk of ${agents.path} is full.`, {
      help: 'Free some space there, then try again.',
    })
  }
}
