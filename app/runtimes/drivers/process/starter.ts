import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import { NEEDED_BYTES, type FreeBytes } from '#runtimes/drivers/process/preflight'
import { installPaths, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { PortPool } from '#runtimes/drivers/process/port_pool'
import { spawnLauncher } from '#runtimes/drivers/process/spawn'
import type { Children } from '#runtimes/drivers/process/children'
import type { Terminator } from '#runtimes/drivers/process/terminator'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
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
  /** Called when a process that was started here has ended. */
  onExit: (name: string, run: Run, exit: RunExit) => void
}

/** From the record of a sleeping agent to its running process. */
export class Starter {
  readonly #parts: StarterParts
  readonly #ports = new PortPool()

  constructor(parts: StarterParts) {
    this.#parts = parts
  }

  /**
   * Starts the agent and keeps the run in its record. Call it while nobody else changes the agent.
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
    await terminator.killRest(before, agents.folder(before).state)
    const record = await agents.adaptUser(before)
    const folder = agents.folder(record)
    await folder.prepare(spec.token)
    await agents.log(record).bound()
    signal.throwIfAborted()

    const port = await this.#ports.take(before.run?.port)
    const child = await spawnLauncher(spec, folder, where, port).catch((error) => {
      this.#ports.release(port)
      throw error
    })
    const run = this.#newRun(child.pid, spec, port)
    this.#parts.children.add(spec.name, run, child, agents.log(record), (exit) => {
      this.#ports.release(port)
      this.#parts.onExit(spec.name, run, exit)
    })
    try {
      signal.throwIfAborted()
      await agents.save({ ...record, run })
      return run
    } catch (error) {
      await terminator.end({ ...record, run }, folder.state, 0)
      throw error
    }
  }

  #newRun(pid: number, spec: InstanceSpec, port: number): Run {
    const { table, now } = this.#parts
    return {
      pid,
      startTicks: table.find(pid)?.startTicks ?? 0,
      bootId: table.bootId,
      port,
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
