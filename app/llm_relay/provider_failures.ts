/** Reasons why a provider did not answer an agent: a closed list. */
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

/** The last failure between an agent and a provider. `message` is for people. */
export interface ProviderFailure {
  /** The provider's name, as set by its owner. */
  provider: string
  reason: ProviderFailureReason
  message: string
  /** Status of the provider's response; omitted if there was none. */
  status?: number
  /** Seconds until the provider accepts calls again, if it said so. */
  retryAfterSec?: number
  at: Date
}

/** Limit of remembered agents: bounds memory, far above the number that answers at once. */
const CAPACITY = 10_000

/**
 * Remembers each agent's last failure. The agent itself only reports "all models failed", so the chat looks
 * here for an explanation, from the beginning of a turn on. Other calls of the agent may succeed meanwhile, which
 * explains nothing. In memory only: it concerns the current chat.
 */
export class ProviderFailures {
  readonly #last = new Map<string, ProviderFailure>()

  constructor(protected now: () => number = Date.now) {}

  record(agent: string, failure: Omit<ProviderFailure, 'at'>): void {
    this.#last.delete(agent)
    this.#last.set(agent, { ...failure, at: new Date(this.now()) })
    if (this.#last.size > CAPACITY) this.#last.delete(this.#last.keys().next().value!)
  }

  /** Returns the agent's last failure, or null if there is none, or none since `since`. */
  last(agent: string, since?: Date): ProviderFailure | null {
    const failure = this.#last.get(agent)
    return failure && (!since || failure.at >= since) ? failure : null
  }
}
