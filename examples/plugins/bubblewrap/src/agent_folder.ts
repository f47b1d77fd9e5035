import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { mkdir, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { readSmallFile } from '@mosaic/plugin-kit'
import { secretsFile, type InstanceExit, type InstanceSpec } from '@mosaic/plugin-kit/runtime'
import type { SandboxProcess } from './sandbox.ts'

/** One run of an agent. */
export interface Run extends SandboxProcess {
  port: number
  generation: number
  specHash: string
  startedAt: string
  stopRequested: boolean
  /** How the run ended, if this Mosaic observed it. */
  exit: InstanceExit | null
}

export interface AgentRecord {
  installation: string
  name: string
  agent: string
  /** Null if the agent never ran here, or its instance was removed. */
  run: Run | null
}

const RECORD = { what: 'The record of an agent', maxBytes: 64 * 1024 }
/** Size above which a log is truncated at the next start. */
const LOG_BYTES = 4 * 1024 * 1024

/** The folder of one agent. Only `agent` is visible in its sandbox. */
export class AgentFolder {
  readonly path: string
  readonly agent: string
  /** The part of an agent that moves between runtimes. */
  readonly state: string
  /** Staging folder of an import. */
  readonly incoming: string
  /** State before the first import. */
  readonly replaced: string
  readonly secrets: string
  readonly log: string

  constructor(storage: string, name: string) {
    this.path = join(storage, 'agents', name)
    this.agent = join(this.path, 'agent')
    this.state = join(this.agent, 'state')
    this.incoming = join(this.path, 'incoming')
    this.replaced = join(this.path, 'replaced')
    this.secrets = join(this.path, 'secrets.json')
    this.log = join(this.path, 'agent.log')
  }

  /** Returns the names of all folders, whichever installation made them. */
  static async names(storage: string): Promise<string[]> {
    return readdir(join(storage, 'agents')).catch(() => [])
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  /** Returns null if there is no record, or none that can be read. */
  async read(): Promise<AgentRecord | null> {
    try {
      return JSON.parse(await readSmallFile(join(this.path, 'record.json'), RECORD))
    } catch {
      return null
    }
  }

  async save(record: AgentRecord): Promise<void> {
    await this.#write('record.json', JSON.stringify(record))
  }

  /** Creates missing folders and writes the token of this start. */
  async prepare({ token }: InstanceSpec): Promise<void> {
    if (this.hasReplaced && !this.hasState) await rename(this.replaced, this.state)
    for (const folder of ['state', 'home', 'cache']) {
      await mkdir(join(this.agent, folder), { recursive: true, mode: 0o700 })
    }
    await this.#write('secrets.json', secretsFile(token))
    const { size } = await stat(this.log).catch(() => ({ size: 0 }))
    if (size > LOG_BYTES) await truncate(this.log)
  }

  get hasState(): boolean {
    return existsSync(this.state)
  }

  get hasReplaced(): boolean {
    return existsSync(this.replaced)
  }

  /** Creates an empty folder for an import. */
  async makeIncoming(): Promise<void> {
    await this.drop(this.incoming)
    for (const folder of [this.agent, this.incoming]) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
    }
  }

  /** Replaces the state with the import. The state before the first import is set aside. */
  async takeIncoming(): Promise<void> {
    if (this.hasState) {
      if (this.hasReplaced) await this.drop(this.state)
      else await rename(this.state, this.replaced)
    }
    await rename(this.incoming, this.state)
  }

  async drop(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true })
  }

  async delete(): Promise<void> {
    await this.drop(this.path)
  }

  async #write(name: string, text: string): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    const temporary = join(this.path, `${name}.${randomUUID()}`)
    await writeFile(temporary, text, { mode: 0o600 })
    await rename(temporary, join(this.path, name))
  }
}
