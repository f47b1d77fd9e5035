import type { RuntimeEvent } from '#runtimes/contract'

/** Delivers a driver's events to all listeners. A slow listener loses the oldest events. */
export class EventFeed {
  static readonly #MOST_WAITING = 1024

  readonly #listeners = new Set<(event: RuntimeEvent) => void>()

  get hasListeners(): boolean {
    return this.#listeners.size > 0
  }

  emit(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Listens from this call on, not from the first `next()`, until the signal aborts. */
  listen(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const waiting: RuntimeEvent[] = []
    let wake = Promise.withResolvers<void>()
    const listener = (event: RuntimeEvent) => {
      if (waiting.push(event) > EventFeed.#MOST_WAITING) waiting.shift()
      wake.resolve()
    }
    const leave = () => {
      this.#listeners.delete(listener)
      wake.resolve()
    }
    if (!signal.aborted) {
      this.#listeners.add(listener)
      signal.addEventListener('abort', leave, { once: true })
    }
    return (async function* () {
      try {
        while (!signal.aborted) {
          const event = waiting.shift()
          if (event) {
            yield event
          } else {
            await wake.promise
            wake = Promise.withResolvers()
          }
        }
      } finally {
        signal.removeEventListener('abort', leave)
        leave()
      }
    })()
  }
}
