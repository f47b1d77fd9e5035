interface Waiter {
  enter: () => void
  tell: (position: number) => void
}

/**
 * Lets a few agents start at the same time and the others wait in line: starting one is bound by the
 * processor, so all at once would make each of them late.
 */
export class StartGate {
  readonly #line: Waiter[] = []
  #starting = 0
  #places = 1

  /** Agents that start just now. */
  get starting(): number {
    return this.#starting
  }

  /** Agents in line. */
  get waiting(): number {
    return this.#line.length
  }

  /**
   * Waits for a place. `places` is how many there are from now on; `tell` hears the position in the
   * line, from 1, whenever it changes. The returned function gives the place back.
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
