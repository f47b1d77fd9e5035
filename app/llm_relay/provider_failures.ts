import type { AgentName } from '#openclaw/agent_name'
import { systemClock, type Clock } from '#timing/clock'
import { within } from '#timing/deadline'

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

/** Other replicas of Mosaic: see `SharedFailures`. */
export interface OtherReplicas {
  write(agent: AgentName, failure: ProviderFailure): Promise<void>
  read(agent: AgentName, since: Date): Promise<ProviderFailure | null>
}

/** Milliseconds that an answer waits for other replicas, which it does not need: their database may be away. */
const OTHERS_MS = 2000

/** Limit of remembered agents: bounds memory, far above the number that answers at once. */
const CAPACITY = 10_000

/**
 * Remembers each agent's last failure. The agent itself only reports "all models failed", so the chat looks
 * here for an explanation, from the beginning of a turn on. Other calls of the agent may succeed meanwhile, which
 * explains nothing. In memory, because it concerns the current chat; `shared` tells other replicas of Mosaic.
 */
export class ProviderFailures {
  readonly #last = new Map<string, ProviderFailure>()

  constructor(
    protected clock: Clock = systemClock,
    protected shared?: OtherReplicas
  ) {}

  /** Resolves once every replica finds the failure, or in two seconds. Never rejects. */
  async record(agent: AgentName, failure: Omit<ProviderFailure, 'at'>): Promise<void> {
    const known = { ...failure, at: new Date(this.clock.now()) }
    this.#last.delete(agent)
    this.#last.set(agent, known)
    if (this.#last.size > CAPACITY) this.#last.delete(this.#last.keys().next().value!)
    await this.#ofOthers((others) => others.write(agent, known))
  }

  /** Returns the agent's last failure since `since` in any replica, or null. Never rejects. */
  async find(agent: AgentName, since: Date): Promise<ProviderFailure | null> {
    const own = this.last(agent, since)
    return own ?? (await this.#ofOthers((others) => others.read(agent, since))) ?? null
  }

  /** Returns the agent's last failure in this replica, or null if there is none, or none since `since`. */
  last(agent: AgentName, since?: Date): ProviderFailure | null {
    const failure = this.#last.get(agent)
    return failure && (!since || failure.at >= since) ? failure : null
  }

  /** Resolves with undefined if there are no other replicas, or they take too long. */
  async #ofOthers<T>(work: (others: OtherReplicas) => Promise<T>): Promise<T | undefined> {
    const { shared } = this
    if (!shared) return undefined
    return within(this.clock, OTHERS_MS, undefined, () => work(shared)).catch(() => undefined)
  }
}
