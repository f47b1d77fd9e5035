import { E_BODIES_FULL, E_TOO_MUCH_AT_ONCE } from '#identity/errors'

/** Limits on client data held in memory, in bytes. */
export interface BodyLimits {
  ofOne: number
  ofAll: number
}

/** One request's part of its caller's share. */
export interface BodyHold {
  /** @throws E_TOO_MUCH_AT_ONCE, E_BODIES_FULL */
  take(bytes: number): void
  /** Releases all of it. Idempotent. */
  release(): void
}

/**
 * Counts the bytes of bodies being read, or kept for the agent they are meant for. A body is held until its
 * response ends, so that it can be resent to an agent that wakes or whose gateway is gone.
 */
export class HeldBodies {
  readonly #ofOne = new Map<string, number>()
  #ofAll = 0

  constructor(protected limits: () => BodyLimits) {}

  /** Bytes held now, over all users. */
  get bytes(): number {
    return this.#ofAll
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
