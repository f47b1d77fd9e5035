import type { Dispatcher } from 'undici'
import { guardedDispatcher } from '#llm/guarded_dispatcher'

/**
 * Milliseconds that an idle connection is kept. Many servers close theirs after five seconds without saying
 * so; a stated time (`Keep-Alive: timeout=60`) is honoured up to a minute.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4000, keepAliveMaxTimeout: 60_000 }

/**
 * Connections to providers, restricted to the address ranges that the settings currently allow. When an admin
 * changes them, new calls get new connections, and streams in flight end on the old ones.
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

  /** Closes every connection, streams included. */
  async destroy(): Promise<void> {
    await this.#current?.dispatcher.destroy()
    this.#current = null
  }

  #retire(): void {
    void this.#current?.dispatcher.close()
  }
}
