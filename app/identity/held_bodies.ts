import { E_BODIES_FULL, E_TOO_MUCH_AT_ONCE } from '#identity/errors'

/** How much may be held in memory of what clients send: bytes. */
export interface BodyLimits {
  ofOne: number
  ofAll: number
}

/** The part of its caller's share that one request holds. */
export interface BodyHold {
  /** @throws E_TOO_MUCH_AT_ONCE, E_BODIES_FULL */
  take(bytes: number): void
  /** Gives all of it back. Once is enough, twice is harmless. */
  release(): void
}

/**
 * Counts the bytes of bodies that are being read, or kept for the agent that they are for. A body is held until
 * its answer ends: an agent that wakes, or a gateway that is gone, is sent it again.
 */
export class HeldBodies {
  readonly #ofOne = new Map<string, number>()
  #ofAll = 0

  constructor(protected limits: () => BodyLimits) {}

  /** Bytes that are held now, of everyone. */
  get bytes(): number {
    return this.#ofAll
  }

  /** Who holds something: never more than there are requests. */
  get holders(): number {
    return this.#ofOne.size
  }

  open(userId: string): BodyHold {
    let own = 0
    return {
      take: (bytes) => {
        const { ofOne, ofAll } = this.limits()
        const held = this.#ofOne.get(userId) ?? 0
        if (held + bytes > ofOne) throw new E_TOO_MUCH_AT_ONCE()
        if (this.#ofAll + bytes > ofAll) throw new E_BODIES_FULL()
        own += bytes
        this.#ofAll += bytes
        this.#ofOne.set(userId, held + bytes)
      },
      release: () => {
        const left = (this.#ofOne.get(userId) ?? 0) - own
        if (left > 0) this.#ofOne.set(userId, left)
        else this.#ofOne.delete(userId)
        this.#ofAll -= own
        own = 0
      },
    }
  }
}
