import type { Clock } from '#timing/clock'

/** The course of a shutdown, in milliseconds; see `config/shutdown.ts`. */
export interface ShutdownTiming {
  noticeMs: number
  drainMs: number
}

/** One deadline for everything that a stopping process still finishes. */
export class Shutdown {
  #deadline: number | null = null

  constructor(
    protected clock: Clock,
    protected timing: ShutdownTiming
  ) {}

  /** Resolves after the notice, when new work must be refused. */
  async begin(): Promise<void> {
    const { noticeMs, drainMs } = this.timing
    this.#deadline = this.clock.elapsed() + noticeMs + drainMs
    await this.clock.wait(noticeMs)
  }

  /** Milliseconds that work in progress still has; without a `begin`, the whole drain. */
  get remainingMs(): number {
    if (this.#deadline === null) return this.timing.drainMs
    return Math.max(0, this.#deadline - this.clock.elapsed())
  }
}
