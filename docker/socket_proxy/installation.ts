import { readFileSync, writeFileSync } from 'node:fs'
import { Refusal } from '#socket_proxy/refusal'

/** As Mosaic makes it: letters and digits, and never a text that a filter of labels could misread. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

export const INSTALLATION_LABEL = 'mosaic.installation'

/**
 * The one installation that is served. Mosaic makes its id at its first boot, so unless the operator names
 * it, the first one that asks is taken and kept; another one is refused from then on.
 */
export class Installation {
  readonly #memory: string | null
  #id: string | null

  /** @param memory file that keeps the first one over restarts */
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
   * Takes the id that a request names.
   *
   * @throws Refusal when another installation is served
   */
  take(id: unknown): string {
    if (typeof id !== 'string' || !ID.test(id)) {
      throw new Refusal(`The label ${INSTALLATION_LABEL} is missing or is no id`)
    }
    if (this.#id === null) {
      this.#id = id
      if (this.#memory) writeFileSync(this.#memory, id, { mode: 0o600 })
    }
    if (this.#id !== id) throw new Refusal('Another installation is served here')
    return id
  }

  /** Whether labels are those of something that this installation made. */
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
