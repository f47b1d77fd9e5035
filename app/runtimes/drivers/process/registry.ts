import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { KeyedQueue } from '#runtimes/keyed_queue'
import { FileLock } from '#runtimes/drivers/process/lock'
import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import { LogFile } from '#runtimes/drivers/process/log_file'
import { AgentFolder } from '#runtimes/drivers/process/agent_folder'
import { UserLedger } from '#runtimes/drivers/process/user_ledger'
import { deleteFolder } from '#runtimes/drivers/process/hostile_tree'
import { allocate, firstOf, type UserRange } from '#runtimes/drivers/process/users'
import { AgentRecords, type AgentRecord } from '#runtimes/drivers/process/records'
import type { InstanceSpec } from '#runtimes/contract'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'

/** Longer than any verb takes: a stop with the longest configurable grace. */
const LOCK_TIMEOUT_MS = 11 * 60_000

/** `<agents>/<name>` must stay inside the folder, and a leading dot marks entries that are not agents. */
const SAFE_NAME = /^[a-z0-9][a-z0-9_.-]{0,127}$/i

export interface RegistryOptions {
  installation: string
  /** Null if agents run as Mosaic's own user. */
  users: UserRange | null
  logBytes: number
  table: ProcTable
}

/** The agents of one installation: their folders, records and users. */
export class AgentRegistry {
  readonly #records: AgentRecords
  readonly #installation: string
  readonly #users: UserRange | null
  readonly #logBytes: number
  readonly #lock: FileLock
  readonly #queue = new KeyedQueue()

  constructor(folder: string, options: RegistryOptions) {
    this.#records = new AgentRecords(folder)
    this.#installation = options.installation
    this.#users = options.users
    this.#logBytes = options.logBytes
    this.#lock = new FileLock(options.table)
  }

  get path(): string {
    return this.#records.folder
  }

  /** Changes an agent under a lock, in this process and across processes. */
  exclusively<Value>(
    name: string,
    signal: AbortSignal | null,
    task: () => Promise<Value>
  ): Promise<Value> {
    if (!SAFE_NAME.test(name)) {
      throw new RuntimeError('internal', `"${name}" cannot be the name of an instance.`)
    }
    const options = { timeoutMs: LOCK_TIMEOUT_MS, signal: signal ?? undefined }
    const lock = this.#records.path(`.${name}.lock`)
    return this.#queue.run(name, () => this.#lock.run(lock, options, task), signal)
  }

  folder({ name, user }: AgentRecord): AgentFolder {
    return new AgentFolder(this.#records.path(name), user)
  }

  log(record: AgentRecord): LogFile {
    return new LogFile(this.folder(record).log, this.#logBytes)
  }

  /** Returns the record of an agent of this installation, or null. */
  async find(name: string): Promise<AgentRecord | null> {
    if (!SAFE_NAME.test(name)) return null
    const record = await this.#records.read(name)
    return record?.installation === this.#installation ? record : null
  }

  async *all(): AsyncIterable<AgentRecord> {
    for await (const record of this.#records.all()) {
      if (record.installation === this.#installation) yield record
    }
  }

  save(record: AgentRecord): Promise<void> {
    return this.#records.write(record)
  }

  /**
   * Returns the agent's record; creates its folder if missing.
   *
   * @throws E_RUNTIME_NAME_TAKEN if a foreign object has the name
   */
  async claim({ name, agent }: InstanceSpec): Promise<AgentRecord> {
    const known = await this.find(name)
    if (known) return known
    if (await this.#records.exists(name)) throw new E_RUNTIME_NAME_TAKEN(name)

    const installation = this.#installation
    return this.#withUser(
      { version: 1, name, agent, installation, user: null, run: null },
      (record) => this.#create(record)
    )
  }

  /** Adapts to a change of Mosaic's own user. Nothing of the agent may run meanwhile. */
  async adaptUser(record: AgentRecord): Promise<AgentRecord> {
    if (this.#users && !record.user) {
      return this.#withUser(record, async (changed) => {
        await this.folder(changed).handOver()
        await this.save(changed)
      })
    }
    if (!this.#users && record.user) {
      throw new RuntimeError('internal', `"${record.name}" was made while Mosaic ran as root.`, {
        help: 'Run Mosaic as root again: only then can it reach the data of this agent.',
      })
    }
    return record
  }

  /** Deletes an agent and its data. Nothing of it may run. */
  async erase(name: string): Promise<void> {
    await deleteFolder(await this.doom(this.#records.path(name)))
  }

  /**
   * Moves a folder away for deletion, and returns its new path: after an interruption the rest must not
   * look like an agent.
   */
  async doom(path: string): Promise<string> {
    const doomed = this.#records.path(`${DOOMED}${randomUUID()}`)
    await rename(path, doomed)
    return doomed
  }

  /** Finishes interrupted calls of `erase`. Leaves what cannot be deleted for the next time. */
  async tidy(): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (name.startsWith(DOOMED)) await deleteFolder(this.#records.path(name)).catch(() => {})
    }
  }

  /** Completes the folder before it gets its name: half a folder would look like a foreign one. */
  async #create(record: AgentRecord): Promise<void> {
    const temporary = this.#records.path(`.new-${randomUUID()}`)
    try {
      await mkdir(temporary, { mode: 0o700 })
      await this.#records.writeInto(temporary, record)
      await rename(temporary, this.#records.path(record.name))
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
  }

  /** Assigns the agent a user of its own, if possible, and reserves it before another agent can get it. */
  async #withUser(
    record: AgentRecord,
    keep: (record: AgentRecord) => Promise<void>
  ): Promise<AgentRecord> {
    const range = this.#users
    if (!range) {
      await keep(record)
      return record
    }
    const lock = this.#records.path('.users.lock')
    return this.#lock.run(lock, { timeoutMs: LOCK_TIMEOUT_MS }, async () => {
      const ledger = new UserLedger(this.path)
      const taken = await ledger.inUse()
      for await (const { user } of this.#records.all()) if (user) taken.add(user.uid)
      const next = (await ledger.next()) ?? firstOf(range, this.#installation)
      const user = allocate(range, next, taken)
      await ledger.gave(user.uid)
      const changed = { ...record, user }
      await keep(changed)
      return changed
    })
  }
}

const DOOMED = '.erased-'
