import { join } from 'node:path'
import { STATE_FOLDER } from '#runtimes/engine/agent_container'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import type { SwarmSettings } from '#runtimes/drivers/swarm/options'

/** Where the steward sees the data. */
const DATA = '/data'
const SHARED = '/shared'

type DataSettings = Pick<SwarmSettings, 'sharedPath' | 'volumeDriver' | 'volumeOptions'>

/**
 * Mounts of agents' data: volumes of single nodes, volumes of a plugin that all nodes reach, or folders below one that
 * all nodes have.
 */
export class StateMounts {
  readonly #installation: string
  readonly #sharedPath: string | null
  readonly #driver: { DriverConfig?: { Name: string; Options: Record<string, string> } }

  constructor(installation: string, { sharedPath, volumeDriver, volumeOptions }: DataSettings) {
    this.#installation = installation
    this.#sharedPath = sharedPath
    const Options = Object.fromEntries(volumeOptions.map(pairOf))
    this.#driver = volumeDriver === null ? {} : { DriverConfig: { Name: volumeDriver, Options } }
  }

  /** Whether every node reaches the data. */
  get isShared(): boolean {
    return this.#sharedPath !== null || this.#driver.DriverConfig !== undefined
  }

  forAgent(name: string): Record<string, unknown> {
    if (this.#sharedPath === null) return this.#volume(name, STATE_FOLDER)
    const Source = join(this.#sharedPath, this.#folder(name))
    return { Type: 'bind', Source, Target: STATE_FOLDER }
  }

  /** The whole share, because a folder must exist before it can be mounted. */
  forSteward(name: string): { mount: Record<string, unknown>; data: string } {
    if (this.#sharedPath === null) return { mount: this.#volume(name, DATA), data: DATA }
    const mount = { Type: 'bind', Source: this.#sharedPath, Target: SHARED }
    return { mount, data: join(SHARED, this.#folder(name)) }
  }

  #folder(name: string): string {
    return join(`mosaic-${shortHash(this.#installation)}`, name)
  }

  #volume(name: string, target: string): Record<string, unknown> {
    const Labels = { [LABEL.installation]: this.#installation, [LABEL.name]: name }
    return {
      Type: 'volume',
      // Another name than that of the driver `docker`: one node may have both during a move.
      Source: `${name}-data`,
      Target: target,
      VolumeOptions: { NoCopy: true, Labels, ...this.#driver },
    }
  }
}

/** A value may contain the separator. */
function pairOf(option: string): [string, string] {
  const at = option.indexOf('=')
  return [option.slice(0, at), option.slice(at + 1)]
}
