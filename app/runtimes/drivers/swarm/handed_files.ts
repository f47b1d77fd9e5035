import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readSmallFile } from '#bounded/file'
import type { InstanceSpec } from '#runtimes/contract'
import { AGENT_UID, HANDED_FOLDER } from '#runtimes/engine/agent_container'
import { isNameConflict, statusOf, type Engine } from '#runtimes/engine/engine'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { secretsFile } from '#runtimes/launch'

/** A swarm takes configs of 500 kB. */
const SCRIPT = { what: 'A script of the swarm driver', maxBytes: 500_000 }

/** A config or secret, as a service refers to it. */
export type FileReference = Record<string, unknown>

interface Stored {
  ID: string
  CreatedAt: string
  Spec: { Name: string; Labels?: Record<string, string> }
}

/**
 * Files that services get from the swarm itself: scripts as configs, tokens as secrets, which only the nodes that
 * run the service receive, in memory. Both are immutable, so each content has an object of its own.
 */
export class HandedFiles {
  readonly #engine: Engine
  readonly #installation: string
  readonly #folder: string
  readonly #scripts = new Map<string, Promise<FileReference>>()

  /** @param folder where the scripts are on this machine */
  constructor(engine: Engine, installation: string, folder: string) {
    this.#engine = engine
    this.#installation = installation
    this.#folder = folder
  }

  /** Returns a script's reference, to be mounted in the folder of handed files. */
  script(file: string): Promise<FileReference> {
    const made = this.#scripts.get(file) ?? this.#makeScript(file)
    this.#scripts.set(file, made)
    made.catch(() => this.#scripts.delete(file))
    return made
  }

  /** Returns the reference of an agent's token, readable by the agent alone. */
  async token(spec: InstanceSpec): Promise<FileReference> {
    const name = `${this.#prefix}-${longHash(spec.name)}-${spec.hash.slice(0, 16)}`
    return this.secret(name, secretsFile(spec.token), {
      path: `${HANDED_FOLDER}/secrets.json`,
      labels: { [LABEL.name]: spec.name },
    })
  }

  /** Returns the reference of a secret file; stores the secret if missing. */
  async secret(
    name: string,
    content: string,
    { path, labels }: { path: string; labels: Record<string, string> }
  ): Promise<FileReference> {
    const id = await this.#store('secret', name, content, labels)
    const File = { Name: path, UID: `${AGENT_UID}`, GID: `${AGENT_UID}`, Mode: 0o400 }
    return { File, SecretID: id, SecretName: name }
  }

  /** Deletes an agent's tokens, except one that its service refers to. */
  async prune(name: string): Promise<void> {
    for (const { ID } of await this.#secrets(LABEL.name, name)) await this.deleteSecret(ID)
  }

  /** Returns the secrets of the driver's own services of a purpose. */
  secretsOf(purpose: 'steward'): Promise<Stored[]> {
    return this.#secrets(LABEL.purpose, purpose)
  }

  /** A no-op while a service refers to it. */
  async deleteSecret(id: string): Promise<void> {
    await this.#engine
      .settle((docker, options) => docker.getSecret(id).remove(options as object))
      .catch((error: unknown) => {
        if (!/in use/.test(String((error as Error).message))) throw error
      })
  }

  async #secrets(label: string, value: string): Promise<Stored[]> {
    const filters = {
      label: [`${LABEL.installation}=${this.#installation}`, `${label}=${value}`],
    }
    return (await this.#engine.call((docker, options) =>
      docker.listSecrets({ filters, ...options } as object)
    )) as Stored[]
  }

  get #prefix(): string {
    return `mosaic-${shortHash(this.#installation)}`
  }

  async #makeScript(file: string): Promise<FileReference> {
    const content = await readSmallFile(join(this.#folder, file), SCRIPT)
    const name = `${this.#prefix}-${file.replace(/\.\w+$/, '')}-${longHash(content)}`
    const id = await this.#store('config', name, content, { [LABEL.purpose]: 'script' })
    const File = { Name: `${HANDED_FOLDER}/${file}`, UID: '0', GID: '0', Mode: 0o444 }
    return { File, ConfigID: id, ConfigName: name }
  }

  async #store(
    kind: 'config' | 'secret',
    name: string,
    content: string,
    labels: Record<string, string>
  ): Promise<string> {
    const found = await this.#find(kind, name)
    if (found) return found
    const Data = Buffer.from(content).toString('base64')
    const Labels = { [LABEL.installation]: this.#installation, ...labels }
    const object = { Name: name, Data, Labels }
    try {
      const { id } = (await this.#engine.call((docker, options) => {
        const body = { ...object, ...options } as object
        return kind === 'config' ? docker.createConfig(body) : docker.createSecret(body)
      })) as { id: string }
      return id
    } catch (error) {
      // Another process of Mosaic stored the same content.
      const other = isNameConflict(error) ? await this.#find(kind, name) : null
      if (!other) throw error
      return other
    }
  }

  async #find(kind: 'config' | 'secret', name: string): Promise<string | null> {
    const found = (await this.#engine
      .call((docker, options) => {
        const object = kind === 'config' ? docker.getConfig(name) : docker.getSecret(name)
        return object.inspect(options as object) as Promise<Stored>
      })
      .catch((error: unknown) => {
        if (statusOf(error) === 404) return null
        throw error
      })) as Stored | null
    return found?.ID ?? null
  }
}

/** Unique enough for all agents of an installation, and short enough for the names of configs and secrets. */
export function longHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
