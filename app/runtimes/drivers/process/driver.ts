import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as after } from 'node:timers/promises'
import { EventFeed } from '#runtimes/event_feed'
import { explained, unlessFull } from '#runtimes/drivers/process/disk_errors'
import { pack, unpack } from '#runtimes/drivers/process/data'
import { Starter } from '#runtimes/drivers/process/starter'
import { Watcher } from '#runtimes/drivers/process/watcher'
import { Children } from '#runtimes/drivers/process/children'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { AgentRegistry } from '#runtimes/drivers/process/registry'
import { Terminator, signalGroup } from '#runtimes/drivers/process/terminator'
import { ExitNotes } from '#runtimes/drivers/process/exit_notes'
import { Observer, toInstance } from '#runtimes/drivers/process/observer'
import { claimSharedCache } from '#runtimes/drivers/process/shared_cache'
import { usableRange, type UserRange } from '#runtimes/drivers/process/users'
import { agentsFolder, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { examine, freeBytes, type FreeBytes } from '#runtimes/drivers/process/preflight'
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

export interface ProcessDriverConfig extends Omit<InstallPathsInput, 'node'> {
  /** The Node binary that agents run on; by default the one that Mosaic runs on. */
  node?: string
  /** The users that agents get when Mosaic is root; false lets them all run as Mosaic's own user. */
  users?: UserRange | false
  /** Size at which a log is put aside; at most twice as much is kept. */
  logBytes?: number
  /** Milliseconds that an instance gets to end when another spec replaces it. */
  replaceGraceMs?: number
  freeBytes?: FreeBytes
  now?: () => number
}

const LOG_BYTES = 1024 * 1024
const REPLACE_GRACE_MS = 5000

/** Stopping a group takes microseconds; a process that hangs in the kernel stops later. */
const SUSPEND_DEADLINE_MS = 2000
const LOOK_MS = 5

/** What opening waits for the leftovers of interrupted purges; deleting them goes on after it. */
const TIDY_MS = 5000

/**
 * One OpenClaw per agent, as a process of this machine that outlives Mosaic. What is known of it lies in
 * a record beside its data; whether it runs is asked of the kernel.
 */
export class ProcessDriver implements RuntimeDriver {
  readonly name = 'process'
  readonly capabilities: RuntimeDriver['capabilities']

  readonly #config: ProcessDriverConfig
  readonly #installation: string
  readonly #paths: InstallPathsInput
  readonly #users: UserRange | null
  readonly #freeBytes: FreeBytes
  readonly #table = new ProcTable()
  readonly #children = new Children(this.#table)
  readonly #terminator = new Terminator(this.#table)
  readonly #observer = new Observer(this.#table, this.#children)
  readonly #feed = new EventFeed()
  readonly #watcher: Watcher
  readonly #starter: Starter
  readonly #exitNotes = new ExitNotes((name, run, exit) => this.#noteExit(name, run, exit))
  #opened: Promise<AgentRegistry> | null = null

  constructor(config: ProcessDriverConfig, installation: string) {
    this.#config = config
    this.#installation = installation
    this.#paths = { ...config, node: config.node ?? process.execPath }
    this.#users = config.users === false ? null : usableRange(config.users)
    this.#freeBytes = config.freeBytes ?? freeBytes
    const now = config.now ?? Date.now
    this.#watcher = new Watcher(
      (run) => this.#observer.status(run),
      (name, run) => this.#children.exitOf(name, run) !== null,
      this.#feed,
      now,
      () => this.#ours(),
      (record) => this.#boundLog(record)
    )
    this.#starter = new Starter({
      paths: this.#paths,
      ownUsers: this.#users !== null,
      freeBytes: this.#freeBytes,
      now,
      table: this.#table,
      children: this.#children,
      terminator: this.#terminator,
      onExit: (name, run, exit) => {
        this.#watcher.check(name)
        this.#exitNotes.add(name, run, exit)
      },
    })
    this.capabilities = {
      isolation: this.#users ? 'user' : 'none',
      suspend: true,
      limits: false,
      multiNode: false,
      events: true,
    }
  }

  async ensure(spec: InstanceSpec, { signal, onProgress }: RuntimeContext): Promise<Instance> {
    try {
      const agents = await this.#open()
      return await agents.exclusively(spec.name, signal, async () => {
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
    await this.#change(name, ({ run }) => this.#signal(name, run, 'SIGSTOP', 'suspended'))
  }

  async resume({ name }: InstanceRef): Promise<void> {
    await this.#change(name, ({ run }) => this.#signal(name, run, 'SIGCONT', 'running'))
  }

  async inspect({ name }: InstanceRef): Promise<Observed | null> {
    const agents = await this.#open()
    const record = await agents.find(name)
    if (!record?.run) return null
    const observed = await this.#observer.observe(record, record.run, agents.log(record))
    return this.#observer.isImposed(record, record.run) ? { ...observed, endpoint: null } : observed
  }

  async *list(): AsyncIterable<Observed> {
    this.#watcher.start()
    const agents = await this.#open()
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

  async exportData({ name }: InstanceRef, { signal }: RuntimeContext): Promise<Readable | null> {
    const agents = await this.#open()
    const record = await agents.find(name)
    const folder = record && agents.folder(record)
    return folder && existsSync(folder.state) ? pack(folder, signal) : null
  }

  async importData(spec: InstanceSpec, data: Readable, { signal }: RuntimeContext): Promise<void> {
    try {
      const agents = await this.#open()
      await agents.exclusively(spec.name, signal, async () => {
        const record = await agents.adaptUser(await agents.claim(spec))
        await this.#terminator.killRest(record, agents.folder(record).state)
        const folder = agents.folder(record)
        await folder.prepare(spec.token)
        await folder.clearState()
        await unpack(folder, data, signal).catch(async (error: unknown) => {
          await folder.clearState()
          throw error
        })
      })
    } catch (error) {
      throw signal.aborted ? signal.reason : explained(error)
    }
  }

  async *logs({ name }: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    const agents = await this.#open()
    const record = await agents.find(name)
    if (!record || tail <= 0) return

    const token = await agents.folder(record).readToken()
    for (const line of await agents.log(record).tail(tail)) {
      yield token ? line.replaceAll(token, '[token]') : line
    }
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    this.#watcher.start()
    return this.#feed.listen(signal)
  }

  async preflight(): Promise<RuntimeFinding[]> {
    return examine(this.#paths, {
      ownUsers: this.#users !== null,
      freeBytes: this.#freeBytes,
    })
  }

  /** Nothing is written from then on: agents outlive it, and how they end is somebody else's to see. */
  async close(): Promise<void> {
    this.#watcher.stop()
    await this.#exitNotes.close()
  }

  #goOn(name: string, run: Run): Instance {
    signalGroup(run.pid, 'SIGCONT')
    this.#watcher.note(name, run)
    this.#watcher.start()
    return toInstance(name, run)
  }

  /** Ends all that runs of an agent, and keeps in its record that this was wanted. */
  async #end(record: AgentRecord, graceMs: number): Promise<AgentRecord> {
    const agents = await this.#open()
    const { state } = agents.folder(record)
    const { run } = record
    if (!run || run.exit || !this.#table.findSame(run)) {
      await this.#terminator.killRest(record, state)
      return record
    }
    // A full disk must not keep an agent from being ended: then it just looks as if it ended by itself.
    const keep = (changed: AgentRecord) => agents.save(changed).catch(unlessFull)
    await keep({ ...record, run: { ...run, stopRequested: true } })
    await this.#terminator.end(record, state, graceMs)
    const code = (await this.#children.exitOf(record.name, run))?.code ?? null
    const exit = { code, outOfMemory: false, failure: null }
    const ended = { ...record, run: { ...run, stopRequested: true, exit } }
    await keep(ended)
    this.#watcher.note(record.name, ended.run)
    return ended
  }

  async #remove(record: AgentRecord, agents: AgentRegistry): Promise<void> {
    const ended = await this.#end(record, 0)
    await agents.save({ ...ended, run: null })
    this.#children.forget(record.name)
    this.#watcher.note(record.name, null)
  }

  async #noteExit(name: string, run: Run, exit: RunExit): Promise<void> {
    await this.#change(name, async (record, agents) => {
      if (record.run?.startedAt !== run.startedAt || record.run.exit) return
      const failure = record.run.stopRequested ? null : exit.failure
      await agents.save({ ...record, run: { ...record.run, exit: { ...exit, failure } } })
    })
  }

  async #signal(
    name: string,
    run: Run | null,
    signal: 'SIGSTOP' | 'SIGCONT',
    wanted: 'suspended' | 'running'
  ): Promise<void> {
    if (!run || !this.#table.findSame(run)) return
    signalGroup(run.pid, signal)
    const deadline = performance.now() + SUSPEND_DEADLINE_MS
    while (this.#observer.status(run) !== wanted && performance.now() < deadline)
      await after(LOOK_MS)
    this.#watcher.note(name, run)
  }

  /** Does something to an agent of ours while nobody else does. Of what is not there nothing is done. */
  async #change(
    name: string,
    task: (record: AgentRecord, agents: AgentRegistry) => Promise<void>
  ): Promise<void> {
    try {
      const agents = await this.#open()
      if (!(await agents.find(name))) return
      await agents.exclusively(name, null, async () => {
        const record = await agents.find(name)
        if (record) await task(record, agents)
      })
    } catch (error) {
      throw explained(error)
    }
  }

  async *#ours(): AsyncIterable<AgentRecord> {
    yield* (await this.#open()).all()
  }

  async #boundLog(record: AgentRecord): Promise<void> {
    await (await this.#open()).log(record).bound()
  }

  #open(): Promise<AgentRegistry> {
    this.#opened ??= this.#openFolder()
    this.#opened.catch(() => (this.#opened = null))
    return this.#opened
  }

  async #openFolder(): Promise<AgentRegistry> {
    if (this.#users) await claimSharedCache()
    const folder = await agentsFolder(this.#paths, this.#users !== null)
    const agents = new AgentRegistry(folder, {
      installation: this.#installation,
      users: this.#users,
      logBytes: this.#config.logBytes ?? LOG_BYTES,
      table: this.#table,
    })
    // What an interrupted purge left is no reason to keep every agent waiting.
    await Promise.race([agents.tidy(), after(TIDY_MS, undefined, { ref: false })])
    return agents
  }
}
