import { E_MOSAIC_STOPPING } from '#chat/errors'

/** The client disconnected: nobody is left to answer. */
export class ClientLeft extends Error {}

/** The owner cancelled the run by another client or another replica of Mosaic. */
export class RunStopped extends ClientLeft {}

/**
 * One for all calls: a response also closes once it is complete, and to make an error with its stack then would cost
 * each call as much as its routing.
 */
const LEFT = new ClientLeft()

/** The party waiting for an answer: a connection, or a stand-in for one. */
export interface RelayClient {
  readonly destroyed: boolean
  once(event: 'close', left: () => void): unknown
  removeListener(event: 'close', left: () => void): unknown
}

/**
 * One call in progress. The set holds this object and not its `end` callback: a Set keeps deleted entries until a full
 * garbage collection, and each callback would keep its whole request in memory.
 */
interface Running {
  end: ((reason: Error) => void) | null
}

/** The calls in progress: each ends when its client leaves, and all end when Mosaic stops. */
export class RunningCalls {
  readonly #running = new Set<Running>()
  #isStopping = false
  #idle: () => void = () => {}

  /** @throws E_MOSAIC_STOPPING once a drain has begun */
  admit(): void {
    if (this.#isStopping) throw new E_MOSAIC_STOPPING()
  }

  /**
   * Registers a call; call the returned function once it is over.
   *
   * @param end Ends the call with `ClientLeft`, also if its client has left already, or E_MOSAIC_STOPPING.
   */
  begin(client: RelayClient, end: (reason: Error) => void): () => void {
    const leave = () => end(LEFT)
    if (client.destroyed) leave()
    client.once('close', leave)
    const running: Running = { end }
    this.#running.add(running)
    return () => {
      client.removeListener('close', leave)
      running.end = null
      this.#running.delete(running)
      if (this.#isStopping && this.#running.size === 0) this.#settle()
    }
  }

  /** A call that goes on to its next phase registers again within this turn of the event loop. */
  #settle(): void {
    setImmediate(() => this.#running.size === 0 && this.#idle())
  }

  /** Admits no more calls, gives running ones this many milliseconds to end, then ends the rest. */
  async drain(ms: number): Promise<void> {
    this.#isStopping = true
    if (this.#running.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    const deadline = setTimeout(() => {
      for (const { end } of this.#running) end?.(new E_MOSAIC_STOPPING())
    }, ms)
    await promise
    clearTimeout(deadline)
  }
}
