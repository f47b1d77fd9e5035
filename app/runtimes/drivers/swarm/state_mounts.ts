import { join } from 'node:path'
import { STATE_FOLDER } from '#runtimes/engine/agent_container'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'

/** Where the steward sees the data. */
const DATA = '/data'
const SHARED = '/shared'

/** Mounts of agents' data: volumes of single nodes, or folders below one that all nodes have. */
export class StateMounts {
  readonly #installation: string
  readonly #sharedPath: string | null

  constructor(installation: string, sharedPath: string | null) {
    this.#installation = installation
    this.#sharedPath = sharedPath
  }

  /** Whether every node reaches the data. */
  get isShared(): boolean {
    return this.#sharedPath !== null
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
      VolumeOptions: { NoCopy: true, Labels },
    }
  }
}
