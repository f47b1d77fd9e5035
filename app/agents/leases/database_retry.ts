import type { AgentsContext } from '#agents/context'
import { E_DATABASE_AWAY, isDatabaseAway } from '#exceptions/database_away'

/** A restarted database is back within a few seconds. After that the caller gets an error. */
const GIVE_UP_AFTER_MS = 10_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 800

/**
 * Retries work while the database restarts. Use it only for idempotent work: after a lost answer it is
 * unknown whether the statement ran. Reads qualify, as does any write that names its lease.
 */
export class DatabaseRetry {
  readonly #context: Pick<AgentsContext, 'clock' | 'random'>

  constructor(context: Pick<AgentsContext, 'clock' | 'random'>) {
    this.#context = context
  }

  /**
   * Runs the work, and repeats it while the database is unavailable.
   *
   * @throws E_DATABASE_AWAY after ten seconds, the work's own error, the signal's reason
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, random } = this.#context
    const deadline = clock.elapsed() + GIVE_UP_AFTER_MS
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await work()
      } catch (error) {
        if (!isDatabaseAway(error)) throw error
        if (clock.elapsed() >= deadline) throw new E_DATABASE_AWAY(undefined, { cause: error })
        await clock.wait(pauseMs * (0.5 + random() / 2), signal)
      }
    }
  }

  /** Returns the same context with reads that are retried while the database is unavailable. */
  wrap(context: AgentsContext): AgentsContext {
    const { settings, documents, callbackUrl } = context
    return {
      ...context,
      settings: { get: (key) => this.run(() => settings.get(key)) },
      documents: { forAgent: (agent) => this.run(() => documents.forAgent(agent)) },
      callbackUrl: (driver) => this.run(() => callbackUrl(driver)),
    }
  }
}
