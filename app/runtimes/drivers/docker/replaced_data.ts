import { stateVolume, type Volumes } from '#runtimes/drivers/docker/volumes'

/**
 * Agents' data that imports replaced, in separate volumes. Engines cannot rename volumes, so the data
 * is copied; a second, empty volume marks the copy as complete.
 */
export class ReplacedData {
  readonly #volumes: Volumes

  constructor(volumes: Volumes) {
    this.#volumes = volumes
  }

  /** Whether data of the agent is set aside. */
  has(name: string): Promise<boolean> {
    return this.#volumes.has(wholeVolume(name))
  }

  /** Copies the agent's data. A no-op if it has none, or if earlier data is set aside already. */
  async setAside(name: string, image: string, signal: AbortSignal): Promise<void> {
    if ((await this.has(name)) || !(await this.#volumes.hasState(name))) return
    const copy = replacedVolume(name)
    await this.#volumes.delete(copy)
    await this.#volumes.make(copy, name)
    await this.#volumes.copy(stateVolume(name), copy, image, signal)
    await this.#volumes.make(wholeVolume(name), name)
  }

  /** Restores the data set aside, for an agent that has no other. A no-op if there is none. */
  async putBack(name: string, image: string, signal: AbortSignal): Promise<void> {
    if (!(await this.has(name))) return
    await this.#volumes.refillState(name, image, (volume) =>
      this.#volumes.copy(replacedVolume(name), volume, image, signal)
    )
    await this.delete(name)
  }

  /** The order matters: a copy without its mark counts as absent. */
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
