import { stateVolume, type Volumes } from '#runtimes/drivers/docker/volumes'

/**
 * Agents' data that imports replaced, in volumes beside theirs. No engine renames a volume, so the data is
 * copied; another, empty volume says that the copy is whole.
 */
export class ReplacedData {
  readonly #volumes: Volumes

  constructor(volumes: Volumes) {
    this.#volumes = volumes
  }

  /** Whether data of the agent is aside. */
  has(name: string): Promise<boolean> {
    return this.#volumes.has(wholeVolume(name))
  }

  /** Copies the agent's data. A no-op if it has none, or if former data is aside already. */
  async setAside(name: string, image: string, signal: AbortSignal): Promise<void> {
    const state = stateVolume(name)
    if ((await this.has(name)) || !(await this.#volumes.has(state))) return
    const copy = replacedVolume(name)
    await this.#volumes.delete(copy)
    await this.#volumes.make(copy, name)
    await this.#volumes.copy(state, copy, image, signal)
    await this.#volumes.make(wholeVolume(name), name)
  }

  /** Gives an agent whose volume was just made what is aside. A no-op if nothing is. */
  async putBack(name: string, image: string, signal: AbortSignal): Promise<void> {
    if (!(await this.has(name))) return
    await this.#volumes.copy(replacedVolume(name), stateVolume(name), image, signal)
    await this.delete(name)
  }

  /** In this order: a copy of which nothing says that it is whole counts as none. */
  async delete(name: string): Promise<void> {
    await this.#volumes.delete(wholeVolume(name))
    await this.#volumes.delete(replacedVolume(name))
  }
}

function replacedVolume(name: string): string {
  return `${name}-replaced`
}

function wholeVolume(name: string): string {
  return `${name}-replaced-whole`
}
