import type { Clock } from '#timing/clock'
import type { WakeProgress } from '#agents/types'

/** A running prewarm. Until it ends, the agent accepts messages but answers late. */
export class Prewarm {
  readonly #clock: Clock
  readonly #usualMs: number | null
  #beganAt: number | null = null

  constructor(clock: Clock, usualMs: number | null) {
    this.#clock = clock
    this.#usualMs = usualMs
  }

  /** Marks the end of the agent's wake: from now on only the prewarm is pending. */
  begin(): void {
    this.#beganAt = this.#clock.elapsed()
  }

  /** Whole milliseconds since the wake ended; 0 while the agent is waking. */
  get elapsedMs(): number {
    return this.#beganAt === null ? 0 : Math.round(this.#clock.elapsed() - this.#beganAt)
  }

  /** Null while the agent is waking. */
  get progress(): WakeProgress | null {
    return this.#beganAt === null ? null : this.at('prewarming')
  }

  at(stage: 'prewarming' | 'ready'): WakeProgress {
    return { stage, elapsedMs: this.elapsedMs, usualMs: this.#usualMs }
  }
}
