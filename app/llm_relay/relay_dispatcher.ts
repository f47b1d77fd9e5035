import type { Dispatcher } from 'undici'
import { guardedDispatcher } from '#llm/guarded_dispatcher'

/**
 * Milliseconds that a connection is kept open for the next call. Many servers close theirs after five seconds
 * and do not say so; one that says how long (`Keep-Alive: timeout=60`) is taken at its word, up to a minute.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4000, keepAliveMaxTimeout: 60_000 }

/**
 * The connections to providers, behind the guard of the address ranges that the settings allow now.
 * When an admin changes them, new calls get new connections, and streams in flight end on the old ones.
 */
export class RelayDispatcher {
  #current: { ranges: string; dispatcher: Dispatcher } | null = null

  constructor(protected allowedRanges: () => Promise<string[]>) {}

  async get(): Promise<Dispatcher> {
    const allowedRanges = await this.allowedRanges()
    const ranges = allowedRanges.join()
    if (this.#current?.ranges === ranges) return this.#current.dispatcher

    this.#retire()
    const dispatcher = guardedDispatcher({ allowedRanges }, KEEP_ALIVE)
    this.#current = { ranges, dispatcher }
    return dispatcher
  }

  /** Ends every connection, streams included. */
  async destroy(): Promise<void> {
    await this.#current?.dispatcher.destroy()
    this.#current = null
  }

  #retire(): void {
    void this.#current?.dispatcher.close()
  }
}
