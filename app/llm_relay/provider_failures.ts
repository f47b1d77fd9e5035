/** Why a provider did not answer an agent: a closed list. */
export const PROVIDER_FAILURES = [
  'unauthorized',
  'billing',
  'rate_limited',
  'not_found',
  'bad_request',
  'context_length',
  'timeout',
  'unreachable',
  'blocked_address',
  'bad_response',
  'inactive',
] as const
export type ProviderFailureReason = (typeof PROVIDER_FAILURES)[number]

/** The last thing that went wrong between an agent and a provider. `message` is for a person. */
export interface ProviderFailure {
  /** The provider's name, as its owner gave it. */
  provider: string
  reason: ProviderFailureReason
  message: string
  /** The status of the provider's answer; left out where there was none. */
  status?: number
  /** Seconds after which the provider takes calls again, where it said so. */
  retryAfterSec?: number
  at: Date
}

/** Agents whose failure is remembered: a bound on memory, far above what answers at one time. */
const CAPACITY = 10_000

/**
 * Remembers each agent's last failure. The agent itself hides it behind "all models failed", so the
 * chat looks here for what to tell its user. A call that succeeds clears it. In memory only: it is of
 * use for the chat that runs now.
 */
export class ProviderFailures {
  readonly #last = new Map<string, ProviderFailure>()

  constructor(protected now: () => number = Date.now) {}

  record(agent: string, failure: Omit<ProviderFailure, 'at'>): void {
    this.#last.delete(agent)
    this.#last.set(agent, { ...failure, at: new Date(this.now()) })
    if (this.#last.size > CAPACITY) this.#last.delete(this.#last.keys().next().value!)
  }

  /** The agent's last failure, or null where it has none, or none since then. */
  last(agent: string, since?: Date): ProviderFailure | null {
    const failure = this.#last.get(agent)
    return failure && (!since || failure.at >= since) ? failure : null
  }

  clear(agent: string): void {
    this.#last.delete(agent)
  }
}
