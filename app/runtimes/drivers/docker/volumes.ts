import { constants, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type Docker from 'dockerode'
import { E_RUNTIME_NAME_TAKEN } from '#runtimes/errors'
import { statusOf, type Engine } from '#runtimes/engine/engine'
import { archive, type ArchiveEntry } from '#runtimes/archive'
import { fillerContainer } from '#runtimes/drivers/docker/container_options'
import type { DriverState } from '#runtimes/contract'
import { refuseElsewhere } from '#runtimes/engine/data_place'
import { isOf, LABEL, type Labels } from '#runtimes/engine/labels'
import { AGENT_UID, STATE_FOLDER } from '#runtimes/engine/agent_container'

/** Where a filler container mounts the volume. */
const FILLED = 'filled'

/** The agents' volumes, which carry the label of their installation. Others are never touched. */
export class Volumes {
  readonly #engine: Engine
  readonly #installation: string

  constructor(engine: Engine, installation: string) {
    this.#engine = engine
    this.#installation = installation
  }

  stateMount(name: string): Docker.MountSettings {
    return { Type: 'volume', Source: stateVolume(name), Target: STATE_FOLDER, ReadOnly: false }
  }

  /**
   * Creates the volume of an agent's data if missing, and gives it to the agent's user.
   *
   * @returns whether this call created it
   * @throws E_RUNTIME_NAME_TAKEN
   */
  async ensureState(name: string, image: string): Promise<boolean> {
    if (await this.has(unfinishedVolume(name))) await this.deleteState(name)
    return this.#makeState(name, image)
  }

  /**
   * Replaces the agent's volume and fills the new one: all or nothing. Until it is filled, a second, empty volume marks
   * it as unfinished, so that no start uses incomplete data if Mosaic is killed.
   */
  async refillState(
    name: string,
    image: string,
    fill: (volume: string) => Promise<void>
  ): Promise<void> {
    await this.make(unfinishedVolume(name), name)
    try {
      await this.delete(stateVolume(name))
      await this.#makeState(name, image)
      await fill(stateVolume(name))
    } catch (error) {
      await this.deleteState(name)
      throw error
    }
    await this.delete(unfinishedVolume(name))
  }

  async #makeState(name: string, image: string): Promise<boolean> {
    const volume = stateVolume(name)
    if (!(await this.make(volume, name))) return false
    try {
      if (await this.#giveAway(volume)) return true
      const folder = { path: `${FILLED}/`, content: null, mode: 0o700, uid: AGENT_UID }
      await this.#put(volume, image, '/', [folder])
      return true
    } catch (error) {
      // Otherwise the next start would use it as it is, and the agent could not write to it.
      await this.delete(volume).catch(() => {})
      throw error
    }
  }

  /** @throws E_RUNTIME_NAME_TAKEN if a foreign volume has that name */
  async make(volume: string, name: string): Promise<boolean> {
    const present = await this.#labels(volume)
    if (present === undefined) {
      const Labels = { ...this.#labelsOf(name) }
      await this.#engine.call((docker, options) =>
        docker.createVolume({ Name: volume, Labels, ...options })
      )
      return true
    }
    if (!isOf(this.#installation, present)) throw new E_RUNTIME_NAME_TAKEN(volume)
    return false
  }

  /** Whether the engine sees a folder of this machine. It refuses to mount one that it does not see. */
  readonly seesFolder = async (folder: string, image: string): Promise<boolean> => {
    try {
      await this.#remove(
        await this.#filler({ Type: 'bind', Source: folder, ReadOnly: true }, image)
      )
      return true
    } catch (error) {
      if (statusOf(error) === null) throw error
      return false
    }
  }

  /** Writes files into a volume, over existing ones. Their paths are relative to the volume's root. */
  fill(volume: string, image: string, entries: ArchiveEntry[]): Promise<void> {
    // Podman resolves this path inside the volume, but not the paths in the archive.
    return this.#put(volume, image, `/${FILLED}`, entries)
  }

  async #put(volume: string, image: string, path: string, entries: ArchiveEntry[]): Promise<void> {
    const filler = await this.#filler(volume, image)
    try {
      const files = archive(entries)
      await this.#engine.call((_, options) => filler.putArchive(files, { path, ...options }))
    } finally {
      await this.#remove(filler)
    }
  }

  /** Streams an archive of any size into a volume. */
  async unpack(volume: string, image: string, data: Readable, signal: AbortSignal): Promise<void> {
    const filler = await this.#filler(volume, image)
    const cut = () => data.destroy()
    signal.addEventListener('abort', cut, { once: true })
    try {
      const path = `/${FILLED}`
      // The engine would accept a stream that broke off as complete.
      const broken = finished(data, { writable: false })
      const put = filler.putArchive(data, { path, abortSignal: signal })
      // The engine may answer, and read no further, before it has the padding at the archive's end.
      await Promise.all([put.then(() => data.unpipe().resume()), broken])
    } catch (error) {
      throw this.#engine.explained(error as Error)
    } finally {
      signal.removeEventListener('abort', cut)
      await this.#remove(filler)
    }
  }

  /**
   * Returns the content of a volume of ours as an archive, or null if there is no such volume. The
   * volume is read only once the stream is.
   */
  async pack(volume: string, image: string, signal: AbortSignal): Promise<Readable | null> {
    const present = await this.#labels(volume)
    if (!isOf(this.#installation, present)) return null
    return Readable.from(this.#read(volume, image, signal), { objectMode: false })
  }

  async *#read(volume: string, image: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    const filler = await this.#filler(volume, image)
    try {
      const path = `/${FILLED}/.`
      yield* (await filler.getArchive({ path, abortSignal: signal })) as AsyncIterable<Buffer>
    } catch (error) {
      throw this.#engine.explained(error as Error)
    } finally {
      await this.#remove(filler)
    }
  }

  #filler(
    source: string | Omit<Docker.MountSettings, 'Target'>,
    image: string
  ): Promise<Docker.Container> {
    const from = typeof source === 'string' ? { Type: 'volume' as const, Source: source } : source
    const mount = { ...from, Target: `/${FILLED}` }
    return this.#engine.call((docker, options) =>
      docker.createContainer({
        ...fillerContainer(image, this.#fillerLabels(), [mount]),
        ...options,
      })
    )
  }

  #remove(filler: Docker.Container): Promise<void> {
    return this.#engine.settle((_, options) => filler.remove({ force: true, ...options }))
  }

  /** Copies the content of a volume of ours into another. */
  async copy(from: string, to: string, image: string, signal: AbortSignal): Promise<void> {
    const data = await this.pack(from, image, signal)
    if (data) await this.unpack(to, image, data, signal)
  }

  /**
   * Returns whether the agent has data here, all of it.
   *
   * @param state the notes in its row
   * @throws RuntimeError `data_stranded` if it has none here, and some on another engine
   */
  async hasState(name: string, state?: DriverState | null): Promise<boolean> {
    const isHere = await this.has(stateVolume(name))
    if (isHere && !(await this.has(unfinishedVolume(name)))) return true
    if (state) refuseElsewhere(name, state, await this.#engine.identity(), this.#helpLost(name))
    return false
  }

  #helpLost(name: string): string {
    const labels = Object.entries(this.#labelsOf(name)).map((pair) => `--label ${pair.join('=')}`)
    const command = `docker volume create ${labels.join(' ')} ${stateVolume(name)}`
    return `If it is lost for good, "${command}" makes room here for a backup, or for a start without memory.`
  }

  async has(volume: string): Promise<boolean> {
    return isOf(this.#installation, await this.#labels(volume))
  }

  /** The order matters: without its mark, an unfinished volume would count as whole. */
  async deleteState(name: string): Promise<void> {
    await this.delete(stateVolume(name))
    await this.delete(unfinishedVolume(name))
  }

  /** Deletes a volume of ours. A no-op if it is missing or not ours. */
  async delete(volume: string): Promise<void> {
    const present = await this.#labels(volume)
    if (!present || !isOf(this.#installation, present)) return
    const remove = () =>
      this.#engine.settle((docker, options) => docker.getVolume(volume).remove(options))
    await remove().catch(async (error: unknown) => {
      if (statusOf(error) !== 409 || !(await this.#removeFillers(volume))) throw error
      await remove()
    })
  }

  /** Removes fillers that a killed Mosaic or a slow engine left in a volume. Returns whether there were any. */
  async #removeFillers(volume: string): Promise<boolean> {
    const label = Object.entries(this.#fillerLabels()).map((pair) => pair.join('='))
    const filters = { volume: [volume], label }
    const left = await this.#engine.call((docker, options) =>
      docker.listContainers({ all: true, filters, ...options })
    )
    for (const { Id } of left) await this.#remove(this.#engine.docker.getContainer(Id))
    return left.length > 0
  }

  /** Returns null for a volume without labels, undefined for a missing one. */
  async #labels(volume: string): Promise<Labels | null | undefined> {
    const found = await this.#engine.find((docker, options) =>
      docker.getVolume(volume).inspect(options)
    )
    return found ? (found.Labels ?? null) : undefined
  }

  #fillerLabels(): Labels {
    return { [LABEL.installation]: this.#installation, [LABEL.purpose]: 'filler' }
  }

  #labelsOf(name: string): Labels {
    return { [LABEL.installation]: this.#installation, [LABEL.name]: name }
  }

  /** Changes the owner without a container, if Mosaic is root and the volume's folder is on this machine. */
  async #giveAway(volume: string): Promise<boolean> {
    if (!this.#engine.isLocal || process.getuid?.() !== 0) return false
    const found = await this.#engine.find((docker, options) =>
      docker.getVolume(volume).inspect(options)
    )
    const folder = found?.Mountpoint
    if (!folder?.includes(volume)) return false
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
    const handle = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => null)
    if (!handle) return false
    try {
      await handle.chown(AGENT_UID, AGENT_UID)
      await handle.chmod(0o700)
      return true
    } finally {
      await handle.close()
    }
  }
}

export function stateVolume(name: string): string {
  return `${name}-state`
}

/** Marks the data of an agent as unfinished. */
function unfinishedVolume(name: string): string {
  return `${name}-unfinished`
}

export function handedVolume(name: string): string {
  return `${name}-handed`
}
