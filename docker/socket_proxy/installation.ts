import { readFileSync, writeFileSync } from 'node:fs'
import { Refusal } from '#socket_proxy/refusal'

/** An installation ID: letters and digits, never text that a label filter could misread. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

export const INSTALLATION_LABEL = 'mosaic.installation'

/**
 * The one installation that the proxy serves. Mosaic creates its ID at first boot, so unless the operator names
 * it, the proxy remembers the first one that asks and refuses any other from then on.
 */
export class Installation {
  readonly #memory: string | null
  #id: string | null

  /** @param memory file that remembers the first one across restarts */
  constructor(id: string | null, memory: string | null) {
    if (id !== null && !ID.test(id)) throw new Error('The id of the installation is not one.')
    this.#memory = memory
    this.#id = id ?? remembered(memory)
  }

  /** Null until the first one has asked. */
  get id(): string | null {
    return this.#id
  }

  /**
   * Accepts the ID in a request.
   *
   * @throws Refusal if another installation is served
   */
  take(id: unknown): string {
    if (typeof id !== 'string' || !ID.test(id)) {
      throw new Refusal(`The label ${INSTALLATION_LABEL} is missing or is no id`)
    }
    if (this.#id === null) {
      this.#id = id
      if (this.#memory) writeFileSync(this.#memory, id, { mode: 0o600 })
    }
    if (this.#id !== id) {
      throw new Refusal(
        'Another installation is served here. After a restore, remove the volume with what the proxy remembers: docs/backup.md'
      )
    }
    return id
  }

  /** Returns whether the labels are those of this installation. */
  owns(labels: Record<string, string> | null | undefined): boolean {
    return this.#id !== null && labels?.[INSTALLATION_LABEL] === this.#id
  }
}

function remembered(memory: string | null): string | null {
  if (!memory) return null
  try {
    const id = readFileSync(memory, 'utf8').trim()
    return ID.test(id) ? id : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
