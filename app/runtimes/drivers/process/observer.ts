import type { Instance, Observed } from '#runtimes/contract'
import { explainExit } from '#runtimes/exit_reasons'
import type { AgentCgroups } from '#runtimes/drivers/process/sandbox/cgroups'
import type { Children } from '#runtimes/drivers/process/children'
import type { LogFile } from '#runtimes/drivers/process/log_file'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { AgentRecord, Run, RunExit } from '#runtimes/drivers/process/records'

/** Suffix of every endpoint's host, by which `RuntimeManager.dial` finds the driver. */
export const ENDPOINT_SUFFIX = '.process.internal'

/** Enough lines to show why a process exited. */
const LAST_LINES = 40

/** Combines an agent's record with the kernel's view of its processes. */
export class Observer {
  constructor(
    private readonly table: ProcTable,
    private readonly children: Children,
    private readonly cgroups: () => AgentCgroups | null
  ) {}

  status(name: string, run: Run): Observed['status'] {
    if (run.exit) return 'exited'
    const stat = this.table.findSame(run)
    if (!stat) return 'exited'
    return stat.state === 'T' || this.cgroups()?.isFrozen(name) ? 'suspended' : 'running'
  }

  async observe(record: AgentRecord, run: Run, log: LogFile): Promise<Observed> {
    const status = this.status(record.name, run)
    const ended = status === 'exited' ? await this.#exitOf(record.name, run, log) : null
    return {
      ...toInstance(record.name, run),
      agent: record.agent,
      generation: run.generation,
      specHash: run.specHash,
      status,
      endpoint: ended ? null : endpoint(record.name, run),
      startedAt: new Date(run.startedAt),
      exitCode: ended?.code ?? null,
      outOfMemory: ended?.outOfMemory ?? false,
      failure: run.stopRequested ? null : (ended?.failure ?? null),
    }
  }

  /** Whether another user's process listens on the gateway's port. Impossible in a sandbox. */
  isImposed({ name, user }: AgentRecord, run: Run): boolean {
    if (run.address || this.status(name, run) === 'exited') return false
    const own = user?.uid ?? process.geteuid?.()
    return this.table.listeners(run.port).some((uid) => uid !== own)
  }

  async #exitOf(name: string, run: Run, log: LogFile): Promise<RunExit> {
    const known = run.exit ?? this.children.exitOf(name, run)
    if (known) return known
    return explainExit({ code: null, signal: null }, false, await log.tail(LAST_LINES))
  }
}

/** Returns the result of `ensure` for a run. */
export function toInstance(name: string, run: Run): Instance {
  const { pid, port } = run
  return { name, id: String(pid), endpoint: endpoint(name, run), state: { pid, port } }
}

/** Returns a host that only the driver's `dial` resolves, because that verifies who answers. */
function endpoint(name: string, { port }: Run): string {
  return `http://${name}${ENDPOINT_SUFFIX}:${port}`
}
