/**
 * The life of a watcher: it runs while somebody listens, and those who need what it knows wait for its first look.
 */
export class Watch {
  readonly #run: (signal: AbortSignal) => Promise<void>
  #running: AbortController | null = null
  #connected: PromiseWithResolvers<void> | null = null

  /** @param run watches until the signal aborts, and calls `connect` once nothing more is missed */
  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.#run = run
  }

  /** Aborts when the watching ends; aborted already if nobody watches. */
  get signal(): AbortSignal {
    return this.#running?.signal ?? AbortSignal.abort()
  }

  /** Starts watching. Idempotent. */
  start(): void {
    if (this.#running) return
    this.#running = new AbortController()
    this.#connected = Promise.withResolvers()
    void this.#run(this.#running.signal)
  }

  stop(): void {
    this.#running?.abort()
    this.#running = null
    this.#connected?.resolve()
    this.#connected = null
  }

  connect(): void {
    this.#connected?.resolve()
  }

  /** Resolves once nothing more is missed, if the engine does not answer, or if nobody watches. */
  async settled(): Promise<void> {
    await this.#connected?.promise
  }
}
