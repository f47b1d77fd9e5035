import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  open,
  opendir,
  readFile,
  rename,
} from 'node:fs/promises'
import type { Secret } from '@adonisjs/core/helpers'

export interface AgentUser {
  uid: number
  gid: number
}

/**
 * The folder of one agent. The folder itself belongs to Mosaic, so the agent can neither replace what
 * Mosaic writes there nor lead it elsewhere; its subfolders belong to the agent, and Mosaic never writes
 * into them.
 */
export class AgentFolder {
  /** OpenClaw's state. */
  readonly state: string
  readonly home: string
  readonly cache: string
  readonly temporary: string
  readonly secrets: string
  readonly log: string

  constructor(
    readonly path: string,
    /** Who the agent runs as; null for Mosaic's own user. */
    readonly user: AgentUser | null
  ) {
    this.state = join(path, 'state')
    this.home = join(path, 'home')
    this.cache = join(path, 'cache')
    this.temporary = join(path, 'tmp')
    this.secrets = join(path, 'secrets.json')
    this.log = join(path, 'agent.log')
  }

  /** Makes what is missing. Nothing of the agent may run meanwhile. */
  async prepare(token: Secret<string>): Promise<void> {
    for (const folder of [this.state, this.home, this.cache, this.temporary]) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const { uid } = await lstat(folder)
      if (this.user && uid !== this.user.uid) await this.#giveAway(folder)
    }
    await this.#writeSecrets(token)
    if (this.user) await chown(this.path, process.geteuid!(), this.user.gid)
    await chmod(this.path, this.user ? 0o710 : 0o700)
  }

  /** The token that the agent was last started with, or null. */
  async readToken(): Promise<string | null> {
    try {
      return JSON.parse(await readFile(this.secrets, 'utf8')).token ?? null
    } catch {
      return null
    }
  }

  /** Hands data that was made without users of their own to the agent's user. */
  async handOver(): Promise<void> {
    for (const folder of [this.state, this.home, this.cache, this.temporary]) {
      if (existsSync(folder)) await this.#giveAwayAll(folder)
    }
  }

  /** Only the agent can read it, and nobody but Mosaic can put another in its place. */
  async #writeSecrets(token: Secret<string>): Promise<void> {
    const temporary = `${this.secrets}.${randomUUID()}`
    const file = await open(temporary, 'wx', 0o400)
    try {
      await file.writeFile(JSON.stringify({ token: token.release() }))
      if (this.user) await file.chown(this.user.uid, this.user.gid)
    } finally {
      await file.close()
    }
    await rename(temporary, this.secrets)
  }

  async #giveAwayAll(path: string): Promise<void> {
    await this.#giveAway(path)
    for await (const entry of await opendir(path)) {
      const inside = join(path, entry.name)
      if (entry.isDirectory()) await this.#giveAwayAll(inside)
      else await this.#giveAway(inside)
    }
  }

  /** Of a link, the link itself changes hands, not what it leads to. */
  async #giveAway(path: string): Promise<void> {
    if (this.user) await lchown(path, this.user.uid, this.user.gid)
  }
}
