import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises'
import type Docker from 'dockerode'
import { readSmallFile } from '#bounded/file'
import type { InstanceSpec } from '#runtimes/contract'
import { handedVolume, type Volumes } from '#runtimes/drivers/docker/volumes'
import { AGENT_UID, HANDED_FOLDER } from '#runtimes/engine/agent_container'
import { shortHash } from '#runtimes/engine/short_hash'

/** Mode bits of a folder. */
const WRITABLE_BY_OTHERS = 0o022

/** The kernel's number of this file system. */
const TMPFS = 0x01021994

/** A token and its JSON take a hundred bytes. */
const SECRETS = { what: 'The secrets file of the agent', maxBytes: 64 * 1024 }

const FILES = { launcher: 'entrypoint.sh', secrets: 'secrets.json' } as const

/** Delivers an agent's launcher and token: by file, read-only, never by environment or argument. */
export interface SecretDelivery {
  /** Writes both files, over existing ones. */
  put(spec: InstanceSpec, image: string): Promise<void>
  mount(name: string): Docker.MountSettings
  /** Returns the delivered token, or null if this method cannot read it back. */
  token(name: string): Promise<string | null>
  delete(name: string): Promise<void>
}

/** A folder on a tmpfs of this machine, mounted into containers of a local engine. Nothing reaches a disk. */
export class FolderDelivery implements SecretDelivery {
  readonly #folder: string
  readonly #launcher: string

  constructor(base: string, installation: string, launcher: string) {
    this.#folder = join(base, shortHash(installation))
    this.#launcher = launcher
  }

  /**
   * Returns a folder where tokens stay in memory and can belong to the agents' user, or null if there
   * is none.
   */
  static async base(wanted: string | undefined): Promise<string | null> {
    const uid = process.getuid?.()
    if (uid !== 0 && uid !== AGENT_UID) return null
    for (const base of wanted ? [wanted] : ['/run/mosaic', '/dev/shm/mosaic']) {
      try {
        if ((await statfs(dirname(base))).type !== TMPFS) continue
        await mkdir(base, { recursive: true, mode: 0o700 })
        if (await isOwn(base, uid)) return base
      } catch {
        // Try the next candidate.
      }
    }
    return null
  }

  /** Runs the task with a temporary folder of unguessable name. */
  async withUnknown<Value>(task: (folder: string) => Promise<Value>): Promise<Value> {
    const folder = this.#of(`unknown-${randomUUID()}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      return await task(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async put({ name, token }: InstanceSpec): Promise<void> {
    const folder = this.#of(name)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o755)
    await this.#write(join(folder, FILES.launcher), await readFile(this.#launcher, 'utf8'), 0o444)
    await this.#write(join(folder, FILES.secrets), secretsOf(token.release()), 0o400)
  }

  mount(name: string): Docker.MountSettings {
    return { Type: 'bind', Source: this.#of(name), Target: HANDED_FOLDER, ReadOnly: true }
  }

  async token(name: string): Promise<string | null> {
    const text = await readSmallFile(join(this.#of(name), FILES.secrets), SECRETS).catch(() => null)
    return text && tokenIn(text)
  }

  async delete(name: string): Promise<void> {
    await rm(this.#of(name), { recursive: true, force: true })
  }

  #of(name: string): string {
    return join(this.#folder, name)
  }

  async #write(path: string, text: string, mode: number): Promise<void> {
    const temporary = `${path}.${randomUUID()}`
    await writeFile(temporary, text, { mode: 0o600 })
    if (process.getuid?.() === 0) await chown(temporary, AGENT_UID, AGENT_UID)
    await chmod(temporary, mode)
    await rename(temporary, path)
  }
}

/**
 * Anyone may create a folder of any name in /dev/shm, so tokens go only into a folder that this user
 * owns.
 */
async function isOwn(folder: string, uid: number): Promise<boolean> {
  const found = await lstat(folder)
  return found.isDirectory() && found.uid === uid && (found.mode & WRITABLE_BY_OTHERS) === 0
}

/** A volume on the engine's disk, for engines that do not see this machine's folders. */
export class VolumeDelivery implements SecretDelivery {
  readonly #volumes: Volumes
  readonly #launcher: string
  readonly #read: (name: string, path: string) => Promise<string | null>

  /** @param read reads a file of an agent's container, or returns null if it cannot */
  constructor(
    volumes: Volumes,
    launcher: string,
    read: (name: string, path: string) => Promise<string | null>
  ) {
    this.#volumes = volumes
    this.#launcher = launcher
    this.#read = read
  }

  async put({ name, token }: InstanceSpec, image: string): Promise<void> {
    const volume = handedVolume(name)
    await this.#volumes.make(volume, name)
    await this.#volumes.fill(volume, image, [
      { path: FILES.launcher, content: await readFile(this.#launcher), mode: 0o444, uid: 0 },
      {
        path: FILES.secrets,
        content: secretsOf(token.release()),
        mode: 0o400,
        uid: AGENT_UID,
      },
    ])
  }

  mount(name: string): Docker.MountSettings {
    return { Type: 'volume', Source: handedVolume(name), Target: HANDED_FOLDER, ReadOnly: true }
  }

  async token(name: string): Promise<string | null> {
    const text = await this.#read(name, `${HANDED_FOLDER}/${FILES.secrets}`)
    return text && tokenIn(text)
  }

  async delete(name: string): Promise<void> {
    await this.#volumes.delete(handedVolume(name))
  }
}

/**
 * Uses the folder if the engine sees this machine's folders, else the volume. Neither a local socket
 * nor Mosaic's own container tells whether it does, so it is tried.
 */
export class TriedDelivery implements SecretDelivery {
  readonly #folder: FolderDelivery
  readonly #volume: VolumeDelivery
  readonly #sees: (folder: string, image: string) => Promise<boolean>
  #seen: Promise<boolean> | null = null
  #chosen: SecretDelivery | null = null

  /** @param sees whether the engine can mount this folder */
  constructor(
    folder: FolderDelivery,
    volume: VolumeDelivery,
    sees: (folder: string, image: string) => Promise<boolean>
  ) {
    this.#folder = folder
    this.#volume = volume
    this.#sees = sees
  }

  async put(spec: InstanceSpec, image: string): Promise<void> {
    this.#seen ??= this.#folder.withUnknown((folder) => this.#sees(folder, image))
    this.#seen.catch(() => (this.#seen = null))
    this.#chosen = (await this.#seen) ? this.#folder : this.#volume
    await this.#chosen.put(spec, image)
  }

  mount(name: string): Docker.MountSettings {
    return (this.#chosen ?? this.#volume).mount(name)
  }

  async token(name: string): Promise<string | null> {
    return (await this.#folder.token(name)) ?? (await this.#volume.token(name))
  }

  async delete(name: string): Promise<void> {
    await this.#folder.delete(name)
    await this.#volume.delete(name)
  }
}

function secretsOf(token: string): string {
  return JSON.stringify({ token })
}

function tokenIn(text: string): string | null {
  try {
    return (JSON.parse(text) as { token?: string }).token ?? null
  } catch {
    return null
  }
}
