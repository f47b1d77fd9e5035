/** Decides which suites run at the same time. */

/**
 * Runs suites side by side. One starts as soon as a place and what it needs are free: `uses` names what it has to
 * itself meanwhile, such as this machine's users or a Docker engine. Earlier ones are preferred.
 */
export class Schedule {
  #waiting
  #places
  #used = new Set()
  #ready = new Set()
  #running = new Set()
  #work
  #failure = null
  #wake = Promise.withResolvers()

  /**
   * @template {{ needs: string[], uses?: string[] }} Run
   * @param {Run[]} runs Longest first, so that none begins when the others are over.
   * @param {{ places: number, work: (run: Run) => Promise<void> }} how `places`: how many run at a time.
   */
  constructor(runs, { places, work }) {
    this.#waiting = [...runs]
    this.#places = places
    this.#work = work
  }

  /** What a run may need is there now. */
  add(need) {
    this.#ready.add(need)
    this.#wake.resolve()
  }

  /** Starts no more of them. */
  stop() {
    this.#waiting = []
    this.#wake.resolve()
  }

  /** Resolves once all have ended. If the work for one rejects, this rejects too and starts no more. */
  async run() {
    while (this.#waiting.length > 0) {
      this.#start()
      await Promise.race([this.#wake.promise, ...this.#running])
      this.#wake = Promise.withResolvers()
    }
    await Promise.all(this.#running)
    if (this.#failure) throw this.#failure
  }

  #start() {
    for (const run of [...this.#waiting]) {
      if (this.#running.size >= this.#places) return
      const { needs, uses = [] } = run
      if (!needs.every((need) => this.#ready.has(need))) continue
      if (uses.some((name) => this.#used.has(name))) continue
      this.#waiting.splice(this.#waiting.indexOf(run), 1)
      for (const name of uses) this.#used.add(name)
      const ended = this.#work(run)
        .catch((error) => {
          this.#failure ??= error
          this.stop()
        })
        .finally(() => {
          for (const name of uses) this.#used.delete(name)
          this.#running.delete(ended)
        })
      this.#running.add(ended)
    }
  }
}
