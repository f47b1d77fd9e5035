import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { readSmallFile } from '#bounded/file'
import { secretsFile } from '#runtimes/launch'
import { deleteFolder, giveAway, openFolder } from '#runtimes/drivers/process/hostile_tree'
import { writeWhole } from '#runtimes/drivers/process/records'
import type { Secret } from '@adonisjs/core/helpers'

/** A token and its JSON take a hundred bytes. */
const SECRETS = { what: 'The secrets file of the agent', maxBytes: 64 * 1024 }

/** The variable with an agent's mark, in each process of an agent. */
export const FOLDER_MARK = 'MOSAIC_INSTANCE'

export interface AgentUser {
  uid: number
  gid: number
}

/**
 * One agent's folder. It belongs to Mosaic, so the agent can neither replace nor redirect what Mosaic
 * writes there; its subfolders belong to the agent, and Mosaic never writes into them.
 */
export class AgentFolder {
  /** OpenClaw's state. */
  readonly state: string
  /** Data arriving from another runtime. */
  readonly incoming: string
  /** The state that an import replaced, kept until the new state has proven itself. Belongs to Mosaic. */
  readonly replaced: string
  readonly home: string
  readonly cache: string
  readonly temporary: string
  readonly secrets: string
  readonly log: string

  constructor(
    readonly path: string,
    /** The agent's user; null for Mosaic's own. */
    readonly user: AgentUser | null
  ) {
    this.state = join(path, 'state')
    this.incoming = join(path, 'incoming')
    this.replaced = join(path, 'replaced')
    this.home = join(path, 'home')
    this.cache = join(path, 'cache')
    this.temporary = join(path, 'tmp')
    this.secrets = join(path, 'secrets.json')
    this.log = join(path, 'agent.log')
  }

  /**
   * Creates missing folders. Nothing of the agent may run meanwhile.
   *
   * @throws RuntimeError if something else is in the place of a folder
   */
  async prepare(token: Secret<string>): Promise<void> {
    await this.#close()
    if (!existsSync(this.state) && existsSync(this.replaced))
      await rename(this.replaced, this.state)
    for (const folder of this.#ofAgent) await this.#make(folder)
    await this.#writeSecrets(token)
  }

  /**
   * Creates an empty folder for arriving data. Nothing of the agent may run until `takeIncoming`.
   *
   * @throws RuntimeError if something else is in the place of a folder
   */
  async makeIncoming(): Promise<void> {
    await this.#close()
    if (existsSync(this.state)) await (await openFolder(this.state)).close()
    await this.dropIncoming()
    await this.#make(this.incoming)
  }

  async dropIncoming(): Promise<void> {
    await deleteFolder(this.incoming)
  }

  /**
   * Replaces the state with the data that has arrived. The state is set aside out of the agent's reach,
   * unless other state is set aside already: then the current one came from an import too and is
   * deleted.
   */
  async takeIncoming(): Promise<void> {
    if (existsSync(this.replaced)) await deleteFolder(this.state)
    else if (existsSync(this.state)) await this.#setStateAside()
    await rename(this.incoming, this.state)
  }

  /** Returns the token of the agent's last start, or null. */
  async readToken(): Promise<string | null> {
    try {
      const { token } = JSON.parse(await readSmallFile(this.secrets, SECRETS))
      return typeof token === 'string' && token !== '' ? token : null
    } catch {
      return null
    }
  }

  /** Hands over data created under a shared user to the agent's own user. */
  async handOver(): Promise<void> {
    if (!this.user) return
    await this.#close()
    for (const folder of this.#ofAgent) {
      if (existsSync(folder)) await giveAway(folder, this.user)
    }
    if (!existsSync(this.replaced)) return
    await giveAway(this.replaced, this.user)
    await this.#closeReplaced()
  }

  /** Identifies the folder without naming it: the agent sees it. */
  get mark(): string {
    return createHash('sha256').update(this.path).digest('hex').slice(0, 16)
  }

  get #ofAgent(): string[] {
    return [this.state, this.home, this.cache, this.temporary]
  }

  async #setStateAside(): Promise<void> {
    await rename(this.state, this.replaced)
    await this.#closeReplaced()
  }

  async #closeReplaced(): Promise<void> {
    await using replaced = await openFolder(this.replaced)
    if (this.user) await replaced.chown(process.geteuid!(), process.getegid!())
    await replaced.chmod(0o700)
  }

  /** Makes Mosaic the owner of the folder, which only the agent may traverse. */
  async #close(): Promise<void> {
    await using own = await openFolder(this.path)
    if (this.user) await own.chown(process.geteuid!(), this.user.gid)
    await own.chmod(this.user ? 0o710 : 0o700)
  }

  async #make(folder: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await using made = await openFolder(folder)
    if (this.user) await made.chown(this.user.uid, this.user.gid)
    await made.chmod(0o700)
  }

  /**
   * Only the agent can read the file, and only Mosaic can replace it. The agent must own it: OpenClaw
   * rejects secrets in a file that belongs to another user or is readable by a group.
   */
  #writeSecrets(token: Secret<string>): Promise<void> {
    return writeWhole(this.secrets, secretsFile(token), { mode: 0o400, user: this.user })
  }
}
