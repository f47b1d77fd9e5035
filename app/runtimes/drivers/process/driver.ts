import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { EventFeed } from '#runtimes/event_feed'
import { raceSignal } from '#timing/race_signal'
import { explained, unlessFull } from '#runtimes/drivers/process/disk_errors'
import { DataMoves } from '#runtimes/drivers/process/data_moves'
import { endRun, withExit } from '#runtimes/drivers/process/run_end'
import { readMachineMemory } from '#runtimes/machine_memory'
import { Suspension } from '#runtimes/drivers/process/suspension'
import type { ProcessDriverConfig } from '#runtimes/drivers/process/config'
import { demandOnePerson } from '#runtimes/drivers/process/one_person'
import { AgentsHome } from '#runtimes/drivers/process/agents_home'
import { Dialer } from '#runtimes/drivers/process/dialer'
import { canSandbox } from '#runtimes/drivers/process/sandbox/sandbox'
import { capabilitiesOf } from '#runtimes/drivers/process/capabilities'
import { Starter } from '#runtimes/drivers/process/starter'
import { Watcher } from '#runtimes/drivers/process/watcher'
import { Children } from '#runtimes/drivers/process/children'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import { Terminator } from '#runtimes/drivers/process/terminator'
import { ExitNotes } from '#runtimes/drivers/process/exit_notes'
import { Observer, toInstance } from '#runtimes/drivers/process/observer'
import { usableRange, type UserRange } from '#runtimes/drivers/process/users'
import type { InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { freeBytes, type FreeBytes } from '#runtimes/disk_space'
import type { AgentRecord, Run, RunExit } from '#runtimes/drivers/process/records'
import type {
  Instance,
  InstanceRef,
  InstanceSpec,
  Observed,
  RuntimeContext,
  RuntimeDriver,
  RuntimeEvent,
  RuntimeFinding,
} from '#runtimes/contract'

export type { ProcessDriverConfig } from '#runtimes/drivers/process/config'

const REPLACE_GRACE_MS = 5000

/**
 * Runs one OpenClaw per agent, as a process on this machine that outlives Mosaic. A record beside the agent's
 * data stores its configuration and last run; the kernel shows whether it is running.
 */
export class ProcessDriver implements RuntimeDriver {
  readonly name = 'process'
  readonly capabilities: RuntimeDriver['capabilities']

  readonly #config: ProcessDriverConfig
  readonly #paths: InstallPathsInput
  readonly #users: UserRange | null
  readonly #sandboxed: boolean
  readonly #freeBytes: FreeBytes
  readonly #table = new ProcTable()
  readonly #home: AgentsHome
  readonly #children = new Children(this.#table, () => this.#home.cgroups)
  readonly #terminator = new Terminator(this.#table, () => this.#home.sandboxes)
  readonly #dialer = new Dialer(this.#table, () => this.#home.sandboxes)
  readonly #observer = new Observer(this.#table, this.#children, () => this.#home.cgroups)
  readonly #suspension = new Suspension(() => this.#home, this.#observer, this.#table)
  readonly #moves = new DataMoves(() => this.#home.open(), this.#terminator)
  readonly #feed = new EventFeed()
  readonly #watcher: Watcher
  readonly #starter: Starter
  readonly #exitNotes = new ExitNotes((name, run, exit) => this.#noteExit(name, run, exit))

  constructor(config: ProcessDriverConfig, installation: string) {
    this.#config = config
    this.#paths = { ...config, node: config.node ?? process.execPath }
    this.#users = config.users === false ? null : usableRange(config.users)
    this.#sandboxed = this.#users !== null && config.sandbox !== false && canSandbox()
    this.#freeBytes = config.freeBytes ?? freeBytes
    this.#home = new AgentsHome({
      installation,
      users: this.#users,
      logBytes: config.logBytes ?? 1024 * 1024,
      table: this.#table,
      paths: this.#paths,
      sandboxed: this.#sandboxed,
      egress: config.egress ?? (async () => 'open'),
      examineOpenClaw: config.examineOpenClaw,
      cgroups: config.cgroups,
      seen: config.seen,
    })
    const now = config.now ?? Date.now
    this.#watcher = new Watcher(
      (name, run) => this.#observer.status(name, run),
      (name, run) => this.#children.exitOf(name, run) !== null,
      this.#feed,
      now,
      () => this.#home.all(),
      (record) => this.#home.boundLog(record)
    )
    this.#starter = new Starter({
      paths: this.#paths,
      ownUsers: this.#users !== null,
      freeBytes: this.#freeBytes,
      now,
      table: this.#table,
      children: this.#children,
      terminator: this.#terminator,
      sandboxes: () => this.#home.sandboxes,
      onExit: (name, run, exit) => {
        this.#watcher.check(name)
        this.#exitNotes.add(name, run, exit)
      },
    })
    this.capabilities = capabilitiesOf(this.#sandboxed, this.#users !== null, config.cgroups)
  }

  async ensure(spec: InstanceSpec, { signal, onProgress }: RuntimeContext): Promise<Instance> {
    try {
      const agents = await this.#home.open()
      await raceSignal(this.#home.requireIsolation(), signal)
      return await agents.exclusively(spec.name, signal, async () => {
        if (!this.#sandboxed && this.#config.unisolated !== 'accept') {
          await demandOnePerson(agents, spec)
        }
        let record = await agents.claim(spec)
        if (record.run && this.#table.findSame(record.run)) {
          if (record.run.specHash === spec.hash) return this.#goOn(spec.name, record.run)
          onProgress?.('Ending the former instance')
          record = await this.#end(record, this.#config.replaceGraceMs ?? REPLACE_GRACE_MS)
        }
        signal.throwIfAborted()
        onProgress?.('Starting the agent')
        const run = await this.#starter.start(agents, record, spec, signal)
        this.#watcher.note(spec.name, run)
        this.#watcher.start()
        return toInstance(spec.name, run)
      })
    } catch (error) {
      throw signal.aborted ? signal.reason : explained(error)
    }
  }

  async stop({ name }: InstanceRef, { graceMs }: { graceMs: number }): Promise<void> {
    await this.#change(name, async (record) => {
      await this.#end(record, graceMs)
    })
  }

  async suspend({ name }: InstanceRef): Promise<void> {
    await this.#whileRunning(name, (run) => this.#suspension.suspend(name, run))
  }

  async resume({ name }: InstanceRef): Promise<void> {
    await this.#whileRunning(name, (run) => this.#suspension.resume(name, run))
  }

  pageOut({ name }: InstanceRef, { signal }: { signal: AbortSignal }): Promise<void> {
    return this.#suspension.pageOut(name, signal)
  }

  usage = ({ name }: InstanceRef) => this.#suspension.usage(name)

  memory = () => readMachineMemory()

  async inspect({ name }: InstanceRef): Promise<Observed | null> {
    const agents = await this.#home.open()
    const record = await agents.find(name)
    if (!record?.run) return null
    const observed = await this.#observer.observe(record, record.run, agents.log(record))
    return this.#observer.isImposed(record, record.run) ? { ...observed, endpoint: null } : observed
  }

  async *list(): AsyncIterable<Observed> {
    this.#watcher.start()
    const agents = await this.#home.open()
    for await (const record of agents.all()) {
      if (!record.run) continue
      this.#watcher.note(record.name, record.run)
      yield await this.#observer.observe(record, record.run, agents.log(record))
    }
  }

  async remove({ name }: InstanceRef): Promise<void> {
    await this.#change(name, (record, agents) => this.#remove(record, agents))
  }

  async purge({ name }: InstanceRef): Promise<void> {
    await this.#change(name, async (record, agents) => {
      await this.#remove(record, agents)
      await agents.erase(name)
    })
  }

  exportData(ref: InstanceRef, context: RuntimeContext): Promise<Readable | null> {
    return this.#moves.exportData(ref, context)
  }

  importData(spec: InstanceSpec, data: Readable, context: RuntimeContext): Promise<void> {
    return this.#moves.importData(spec, data, context)
  }

  keepImport(ref: InstanceRef): Promise<void> {
    return this.#moves.keepImport(ref)
  }

  async undoImport({ name }: InstanceRef): Promise<boolean> {
    let undone = false
    await this.#change(name, async (record, agents) => {
      if (!existsSync(agents.folder(record).replaced)) return
      await this.#remove(record, agents)
      await this.#moves.undo(record, agents)
      undone = true
    })
    return undone
  }

  /** @throws an error with a code such as ECONNREFUSED; EACCES if another user's process answers */
  async dial(endpoint: URL, signal?: AbortSignal): Promise<Socket> {
    return this.#dialer.dial(await this.#home.open(), endpoint, signal)
  }

  callback() {
    return this.#home.callback()
  }

  logs({ name }: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    return this.#home.logLines(name, tail)
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    this.#watcher.start()
    return this.#feed.listen(signal)
  }

  async preflight(): Promise<RuntimeFinding[]> {
    return this.#home.preflight(this.#freeBytes)
  }

  /** Stops writing exit notes: agents outlive this process, and the next one observes how they end. */
  async close(): Promise<void> {
    this.#watcher.stop()
    await this.#exitNotes.close()
    await this.#home.close()
  }

  #goOn(name: string, run: Run): Instance {
    this.#suspension.wake(name, run)
    this.#watcher.note(name, run)
    this.#watcher.start()
    return toInstance(name, run)
  }

  async #end(record: AgentRecord, graceMs: number): Promise<AgentRecord> {
    const ended = await endRun(await this.#home.open(), record, graceMs, {
      table: this.#table,
      children: this.#children,
      terminator: this.#terminator,
    })
    if (ended !== record) this.#watcher.note(record.name, ended.run)
    return ended
  }

  async #remove(record: AgentRecord, agents: AgentRegistry): Promise<void> {
    const ended = await this.#end(record, 0)
    // A full disk must not keep its agents' data; the run then remains, as one that has ended.
    await agents.save({ ...ended, run: null }).catch(unlessFull)
    this.#children.forget(record.name)
    this.#watcher.note(record.name, null)
  }

  async #noteExit(name: string, run: Run, exit: RunExit): Promise<void> {
    await this.#change(name, async (record, agents) => {
      const noted = withExit(record, run, exit)
      if (noted) await agents.save(noted)
    })
  }

  async #whileRunning(name: string, task: (run: Run) => Promise<void>): Promise<void> {
    await this.#change(name, async ({ run }) => {
      if (!run || !this.#table.findSame(run)) return
      await task(run)
      this.#watcher.note(name, run)
    })
  }

  /** Runs one exclusive operation on an agent of this installation. A no-op if the agent is missing. */
  async #change(
    name: string,
    task: (record: AgentRecord, agents: AgentRegistry) => Promise<void>
  ): Promise<void> {
    try {
      const agents = await this.#home.open()
      if (!(await agents.find(name))) return
      await agents.exclusively(name, null, async () => {
        const record = await agents.find(name)
        if (record) await task(record, agents)
      })
    } catch (error) {
      throw explained(error)
    }
  }
}
