import { realpath } from 'node:fs/promises'
import { setTimeout as after } from 'node:timers/promises'
import type { RuntimeCallback, RuntimeFinding } from '#runtimes/contract'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import { examine, type ExamineOpenClaw } from '#runtimes/drivers/process/preflight'
import type { FreeBytes } from '#runtimes/disk_space'
import { AgentRegistry, type RegistryOptions } from '#runtimes/drivers/process/registry'
import { agentsFolder, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { claimSharedCache } from '#runtimes/drivers/process/shared_cache'
import { GATE_ADDRESS, GATE_PORT } from '#runtimes/drivers/process/sandbox/gate'
import { cgroupAbilities, type AgentCgroups } from '#runtimes/drivers/process/sandbox/cgroups'
import type { EgressSetting } from '#runtimes/drivers/process/sandbox/egress'
import { IsolationProof } from '#runtimes/drivers/process/sandbox/isolation_proof'
import { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'

/** How long opening waits for the cleanup of interrupted purges; the cleanup continues afterwards. */
const TIDY_MS = 5000

export interface AgentsHomeOptions extends RegistryOptions {
  paths: InstallPathsInput
  sandboxed: boolean
  egress: () => Promise<EgressSetting>
  examineOpenClaw?: ExamineOpenClaw
  cgroups?: false
  seen?: string[]
}

/** The agents' folder and their sandboxes, opened on first use. */
export class AgentsHome {
  readonly #options: AgentsHomeOptions
  #opened: Promise<AgentRegistry> | null = null
  #sandboxes: Sandboxes | null = null
  #proof: IsolationProof | null = null

  constructor(options: AgentsHomeOptions) {
    this.#options = options
  }

  /** Null before the first `open`, or if agents run among the machine's own processes. */
  get sandboxes(): Sandboxes | null {
    return this.#sandboxes
  }

  get cgroups(): AgentCgroups | null {
    return this.#sandboxes?.cgroups ?? null
  }

  /** @throws RuntimeError if the folder cannot be opened; the next call tries again */
  open(): Promise<AgentRegistry> {
    this.#opened ??= this.#openFolder()
    this.#opened.catch(() => (this.#opened = null))
    return this.#opened
  }

  async *all(): AsyncIterable<AgentRecord> {
    yield* (await this.open()).all()
  }

  /** Returns the last lines of an agent's log, oldest first and without its token. */
  async *logLines(name: string, tail: number): AsyncIterable<string> {
    const agents = await this.open()
    const record = await agents.find(name)
    if (!record || tail <= 0) return

    const token = await agents.folder(record).readToken()
    for (const line of await agents.log(record).tail(tail)) {
      yield token ? line.replaceAll(token, '[token]') : line
    }
  }

  async boundLog(record: AgentRecord): Promise<void> {
    await (await this.open()).log(record).bound()
  }

  /** Returns null if agents share the machine's loopback: Mosaic's own listener suffices. */
  async callback(): Promise<RuntimeCallback | null> {
    await this.open()
    const sandboxes = this.#sandboxes
    if (!sandboxes) return null
    this.#proof!.begin()
    return {
      host: GATE_ADDRESS,
      port: GATE_PORT,
      listen: null,
      open: () => sandboxes.listen(GATE_PORT),
    }
  }

  /** Returns what prevents agents from running here, and what they reach but should not. */
  async preflight(freeBytes: FreeBytes): Promise<RuntimeFinding[]> {
    const { paths, users, sandboxed, cgroups, examineOpenClaw } = this.#options
    const egress = await this.#egressFailure()
    const pagesOut = sandboxed && cgroups !== false && cgroupAbilities().pageOut
    const common = {
      ...{ ownUsers: users !== null, sandboxed, pagesOut },
      ...{ egress, freeBytes, examineOpenClaw },
    }
    const findings = await examine(paths, common)
    if (findings.some(({ severity }) => severity === 'error')) return findings
    return [...findings, ...(await this.#leaks())]
  }

  /** @throws RuntimeError `not_isolated` if sandboxes do not isolate agents as promised */
  async requireIsolation(): Promise<void> {
    await this.#proof?.require()
  }

  async close(): Promise<void> {
    await this.#proof?.settled()
    await this.#sandboxes?.close()
  }

  /** Returns why agents cannot reach the internet although they may; null if they can, or may not. */
  async #egressFailure(): Promise<Error | null> {
    await this.open().catch(() => {})
    if (!this.#sandboxes) return null
    await this.#sandboxes.prepare().catch(() => {})
    return this.#sandboxes.egress.failure
  }

  async #leaks(): Promise<RuntimeFinding[]> {
    try {
      return (await this.#proof?.findings()) ?? []
    } catch (error) {
      return [sandboxFailed(error as Error)]
    }
  }

  async #openFolder(): Promise<AgentRegistry> {
    const { paths, sandboxed, egress, cgroups, seen, ...options } = this.#options
    if (options.users) await claimSharedCache()
    const folder = await realpath(await agentsFolder(paths, options.users !== null))
    if (sandboxed && options.users) {
      const sandboxes = (this.#sandboxes ??= new Sandboxes(folder, egress, cgroups))
      this.#proof ??= new IsolationProof({ sandboxes, folder, paths, users: options.users, seen })
    }
    const agents = new AgentRegistry(folder, options)
    // Leftovers of an interrupted purge must not delay all agents.
    await Promise.race([agents.tidy(), after(TIDY_MS, undefined, { ref: false })])
    return agents
  }
}

function sandboxFailed({ message }: Error): RuntimeFinding {
  return {
    severity: 'error',
    code: 'process_sandbox_failed',
    message: `The sandbox of an agent was not made: ${message}`,
    hint: 'See that Mosaic may make namespaces, and that OpenClaw and Node are where agents can read them.',
  }
}
