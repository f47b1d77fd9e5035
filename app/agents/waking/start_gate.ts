interface Waiter {
  enter: () => void
  tell: (position: number) => void
}

/**
 * Lets a few agents start at a time and queues the rest: starting is bound by the processor, so
 * starting all at once would delay each of them.
 */
export class StartGate {
  readonly #line: Waiter[] = []
  #starting = 0
  #places = 1

  /** Agents that are starting. */
  get starting(): number {
    return this.#starting
  }

  /** Agents in the queue. */
  get waiting(): number {
    return this.#line.length
  }

  /**
   * Waits for a place. `places` sets the capacity from now on; `tell` receives the position in the
   * queue, from 1, whenever it changes. Call the returned function to free the place.
   */
  async enter(
    places: number,
    { signal, tell }: { signal: AbortSignal; tell: (position: number) => void }
  ): Promise<() => void> {
    signal.throwIfAborted()
    this.#places = places
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = {
      tell,
      enter: () => {
        signal.removeEventListener('abort', leave)
        resolve()
      },
    }
    const leave = () => {
      this.#line.splice(this.#line.indexOf(waiter), 1)
      this.#tellPositions()
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    this.#line.push(waiter)
    this.#admit()
    if (this.#line.includes(waiter)) tell(this.#line.indexOf(waiter) + 1)
    await promise

    let left = false
    return () => {
      if (left) return
      left = true
      this.#starting--
      if (this.#admit()) this.#tellPositions()
    }
  }

  #admit(): boolean {
    let admitted = false
    while (this.#line.length > 0 && this.#starting < this.#places) {
      this.#starting++
      this.#line.shift()!.enter()
      admitted = true
    }
    return admitted
  }

  #tellPositions(): void {
    this.#line.forEach((waiter, index) => waiter.tell(index + 1))
  }
}
