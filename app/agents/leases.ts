import type { AgentKey } from '#agents/types'

/** What `tryHold` answers when someone else holds the lease. */
export const HELD = Symbol('held')

/**
 * Decides who may change an agent: its instance and its row. One holder at a time, in the order in which
 * they came. It decides for this process; whoever changes agents asks here and nowhere else.
 */
export class AgentLeases {
  /** The agents that are held, each with those who wait for it. */
  readonly #waiting = new Map<AgentKey, (() => void)[]>()

  isHeld(agent: AgentKey): boolean {
    return this.#waiting.has(agent)
  }

  /** Waits for the lease and works under it. The signal ends the waiting, not the work. */
  async hold<T>(agent: AgentKey, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(agent, signal)
    try {
      return await work()
    } finally {
      this.#release(agent)
    }
  }

  /** Works under the lease if it is free, else does nothing. */
  async tryHold<T>(agent: AgentKey, work: () => Promise<T>): Promise<T | typeof HELD> {
    return this.isHeld(agent) ? HELD : this.hold(agent, work)
  }

  #acquire(agent: AgentKey, signal?: AbortSignal): Promise<void> | undefined {
    signal?.throwIfAborted()
    const queue = this.#waiting.get(agent)
    if (!queue) {
      this.#waiting.set(agent, [])
      return undefined
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const enter = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      queue.splice(queue.indexOf(enter), 1)
      reject(signal!.reason)
    }
    queue.push(enter)
    signal?.addEventListener('abort', leave, { once: true })
    return promise
  }

  #release(agent: AgentKey): void {
    const enter = this.#waiting.get(agent)!.shift()
    if (enter) enter()
    else this.#waiting.delete(agent)
  }
}
