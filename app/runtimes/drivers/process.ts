import { setTimeout as after } from 'node:timers/promises'
import { EventFeed } from '#runtimes/event_feed'
import { RuntimeError } from '#runtimes/errors'
import { Children } from '#runtimes/drivers/process/children'
import { LogFile } from '#runtimes/drivers/process/log_file'
import { Watcher } from '#runtimes/drivers/process/watcher'
import { PortPool } from '#runtimes/drivers/process/port_pool'
import { ProcessTable } from '#runtimes/drivers/process/table'
import { startLauncher } from '#runtimes/drivers/process/start'
import { AgentRegistry } from '#runtimes/drivers/process/registry'
import { Ending, signalGroup } from '#runtimes/drivers/process/ending'
import { explainExit } from '#runtimes/drivers/process/exit_reasons'
import { usableRange, type UserRange } from '#runtimes/drivers/process/users'
import type { AgentRecord, Run, RunExit } from '#runtimes/drivers/process/records'
import { agentsFolder, places, type PlacesInput } from '#runtimes/drivers/process/places'
import {
  examine,
  freeBytes,
  NEEDED_BYTES,
  type FreeBytes,
} from '#runtimes/drivers/process/preflight'
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

export interface ProcessDriverConfig extends Omit<PlacesInput, 'node'> {
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

/**
 * One OpenClaw per agent, as a process of this machine that outlives Mosaic. What is known of it lies in
 * a record beside its data; whether it runs is asked of the kernel.
 */
export class ProcessDriver implements RuntimeDriver {
  readonly name = 'process'
  readonly capabilities: RuntimeDriver['capabilities']

  readonly #config: ProcessDriverConfig
  readonly #installation: string
  readonly #places: PlacesInput
  readonly #users: UserRange | null
  readonly #now: () => number
  readonly #table = new ProcessTable()
  readonly #children = new Children(this.#table)
  readonly #ending = new Ending(this.#table)
  readonly #ports = new PortPool()
  readonly #feed = new EventFeed()
  readonly #watcher: Watcher
  #opened: Promise<AgentRegistry> | null = null

  constructor(config: ProcessDriverConfig, installation: string) {
    this.#config = config
    this.#installation = installation
    this.#places = { ...config, node: config.node ?? process.execPath }
    this.#users = config.users === false ? null : usableRange(config.users)
    this.#now = config.now ?? Date.now
    this.#watcher = new Watcher(
      this.#table,
      this.#feed,
      this.#now,
      () => this.#ours(),
      (record) => this.#boundLog(record)
    )
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
        return this.#start(record, spec, signal)
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
    const record = await (await this.#open()).find(name)
    if (!record?.run) return null
    const observed = await this.#observe(record, record.run)
    return this.#isImposed(record, observed) ? { ...observed, endpoint: null } : observed
  }

  async *list(): AsyncIterable<Observed> {
    this.#watcher.start()
    for await (const record of this.#ours()) {
      if (!record.run) continue
      this.#watcher.note(record.name, record.run)
      yield await this.#observe(record, record.run)
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

  async *logs({ name }: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    const agents = await this.#open()
    const record = await agents.find(name)
    if (!record || tail <= 0) return

    const token = await agents.folder(record).readToken()
    for (const line of await this.#log(agents, record).tail(tail)) {
      yield token ? line.replaceAll(token, '[token]') : line
    }
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    this.#watcher.start()
    return this.#feed.listen(signal)
  }

  async preflight(): Promise<RuntimeFinding[]> {
    return examine(this.#places, {
      ownUsers: this.#users !== null,
      freeBytes: this.#config.freeBytes ?? freeBytes,
    })
  }

  async close(): Promise<void> {
    this.#watcher.stop()
  }

  async #start(before: AgentRecord, spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    const agents = await this.#open()
    const where = await places(this.#places, this.#users !== null)
    await this.#demandRoom(agents)
    await this.#ending.killRest(before, agents.folder(before).state)
    const record = await agents.adaptUser(before)
    const folder = agents.folder(record)
    const log = this.#log(agents, record)
    await folder.prepare(spec.token)
    await log.bound()
    signal.throwIfAborted()

    const port = await this.#ports.take(before.run?.port)
    let run: Run
    try {
      const child = await startLauncher(spec, folder, where, port)
      run = this.#newRun(child.pid, spec, port)
      this.#children.add(spec.name, run, child, log, (exit) => {
        this.#ports.release(port)
        void this.#noteExit(spec.name, run, exit)
      })
    } catch (error) {
      this.#ports.release(port)
      throw error
    }
    try {
      signal.throwIfAborted()
      await agents.save({ ...record, run })
    } catch (error) {
      await this.#ending.end({ ...record, run }, folder.state, 0)
      throw error
    }
    this.#watcher.note(spec.name, run)
    this.#watcher.start()
    return toInstance(spec.name, run)
  }

  #newRun(pid: number, spec: InstanceSpec, port: number): Run {
    return {
      pid,
      startTicks: this.#table.find(pid)?.startTicks ?? 0,
      bootId: this.#table.bootId,
      port,
      generation: spec.generation,
      specHash: spec.hash,
      startedAt: new Date(this.#now()).toISOString(),
      stopRequested: false,
      exit: null,
    }
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
      await this.#ending.killRest(record, state)
      return record
    }
    await agents.save({ ...record, run: { ...run, stopRequested: true } })
    await this.#ending.end(record, state, graceMs)
    const code = (await this.#children.exitOf(record.name, run))?.code ?? null
    const exit = { code, outOfMemory: false, failure: null }
    const ended = { ...record, run: { ...run, stopRequested: true, exit } }
    await agents.save(ended)
    this.#watcher.note(record.name, ended.run)
    return ended
  }

  async #remove(record: AgentRecord, agents: AgentRegistry): Promise<void> {
    const ended = await this.#end(record, 0)
    await agents.save({ ...ended, run: null })
    this.#children.forget(record.name)
    this.#watcher.note(record.name, null)
  }

  /** Keeps how a child of ours ended, so that other processes and later ones know it too. */
  async #noteExit(name: string, run: Run, exit: RunExit): Promise<void> {
    this.#watcher.check(name)
    const keep = this.#change(name, async (record, agents) => {
      if (record.run?.startedAt !== run.startedAt || record.run.exit) return
      const failure = record.run.stopRequested ? null : exit.failure
      await agents.save({ ...record, run: { ...record.run, exit: { ...exit, failure } } })
    })
    // It is still known here, and a full disk is reported by what needs the disk.
    await keep.catch(() => {})
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
    while (this.#watcher.status(run) !== wanted && performance.now() < deadline)
      await after(LOOK_MS)
    this.#watcher.note(name, run)
  }

  async #observe(record: AgentRecord, run: Run): Promise<Observed> {
    const status = this.#watcher.status(run)
    const ended = status === 'exited' ? await this.#exitOf(record, run) : null
    return {
      name: record.name,
      agent: record.agent,
      id: String(run.pid),
      generation: run.generation,
      specHash: run.specHash,
      status,
      endpoint: ended ? null : endpoint(run),
      startedAt: new Date(run.startedAt),
      exitCode: ended?.code ?? null,
      outOfMemory: ended?.outOfMemory ?? false,
      failure: run.stopRequested ? null : (ended?.failure ?? null),
      state: toState(run),
    }
  }

  async #exitOf(record: AgentRecord, run: Run): Promise<RunExit> {
    if (run.exit) return run.exit
    const own = this.#children.exitOf(record.name, run)
    if (own) return own
    const lines = await this.#log(await this.#open(), record).tail(40)
    return explainExit({ code: null, signal: null }, false, lines)
  }

  /** Whether another user's process listens where the gateway should: it must not get the token. */
  #isImposed({ user }: AgentRecord, { state, status }: Observed): boolean {
    if (!user || status === 'exited') return false
    const listener = this.#table.listener(state.port as number)
    return listener !== null && listener !== user.uid
  }

  async #demandRoom(agents: AgentRegistry): Promise<void> {
    const left = await (this.#config.freeBytes ?? freeBytes)(agents.path)
    if (left >= NEEDED_BYTES) return
    throw new RuntimeError('no_capacity', `The disk of ${agents.path} is full.`, {
      help: 'Free some space there, then try again.',
    })
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
    await this.#log(await this.#open(), record).bound()
  }

  #log(agents: AgentRegistry, record: AgentRecord): LogFile {
    return new LogFile(agents.folder(record).log, this.#config.logBytes ?? LOG_BYTES)
  }

  #open(): Promise<AgentRegistry> {
    this.#opened ??= this.#openFolder()
    this.#opened.catch(() => (this.#opened = null))
    return this.#opened
  }

  async #openFolder(): Promise<AgentRegistry> {
    const folder = await agentsFolder(this.#places, this.#users !== null)
    const agents = new AgentRegistry(folder, this.#installation, this.#users, this.#table)
    await agents.tidy()
    return agents
  }
}

function endpoint(run: Run): string {
  return `http://127.0.0.1:${run.port}`
}

function toState({ pid, port }: Run) {
  return { pid, port }
}

function toInstance(name: string, run: Run): Instance {
  return { name, id: String(run.pid), endpoint: endpoint(run), state: toState(run) }
}

/** What a full or closed disk says, in words. */
function explained(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new RuntimeError('no_capacity', 'The disk of the agents is full.', {
      cause: error,
      help: 'Free some space there, then try again.',
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new RuntimeError('internal', `Mosaic may not write to ${path ?? 'the agents'}.`, {
      cause: error,
      help: 'Give the user that Mosaic runs as the rights to its storage folder.',
    })
  }
  return error
}
