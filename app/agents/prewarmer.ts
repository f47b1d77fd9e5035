import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import type { AgentMetrics } from '#agents/metrics'
import type { LocalState } from '#agents/state/local_state'
import { StartGate } from '#agents/waking/start_gate'
import type { AgentKey, GatewayAccess, PrewarmOutcome } from '#agents/types'
import type { GatewayClient } from '#openclaw/gateway_client'

/**
 * A gateway ends its workers after a minute without a chat. After half of that it is prewarmed again:
 * it might be cold before the user has typed a message, and prewarming a warm gateway costs little.
 */
const WARM_MS = 30_000

/** A gateway's first chat takes twenty seconds on a busy machine. After this time prewarming is pointless. */
const DEADLINE_MS = 60_000

/** The agent is being stopped, or Mosaic is. */
class Interrupted extends Error {
  override name = 'Interrupted'
}

/**
 * Prepares agents for the first message of users who came to write one: a hidden background chat with a
 * model of Mosaic's own. It does not count as use and so keeps no agent awake. Failures have no effect
 * on the user other than a slower answer.
 */
export class Prewarmer {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>
  readonly #local: LocalState
  readonly #metrics: AgentMetrics
  readonly #gateway: Pick<GatewayClient, 'prewarm'>
  /** Separate from the start gate, so that prewarming never delays a start. */
  readonly #gate = new StartGate()
  readonly #prewarms = new Map<AgentKey, Promise<PrewarmOutcome>>()
  readonly #chats = new Map<AgentKey, number>()
  /** When each known gateway last ended a chat. A restarted gateway is a new key, and so counts as cold. */
  readonly #warmedAt = new WeakMap<GatewayAccess, number>()
  readonly #closing = new AbortController()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    local: LocalState,
    metrics: AgentMetrics,
    gateway: Pick<GatewayClient, 'prewarm'>
  ) {
    this.#context = context
    this.#local = local
    this.#metrics = metrics
    this.#gateway = gateway
  }

  /** Counts a user's chat, which warms the agent itself, until the returned function is called. */
  chatBegins(agent: AgentKey): () => void {
    this.#chats.set(agent, (this.#chats.get(agent) ?? 0) + 1)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const others = this.#chats.get(agent)! - 1
      if (others > 0) this.#chats.set(agent, others)
      else this.#chats.delete(agent)
      this.#warmed(this.#gatewayOf(agent))
    }
  }

  /**
   * Prewarms the agent after its wake, unless it is warm by then. Call it after `start` when the user
   * arrives; it wakes no agent itself. Concurrent calls for an agent share one run. Never rejects.
   */
  prewarm(agent: AgentKey): Promise<PrewarmOutcome> {
    const present = this.#prewarms.get(agent)
    if (present) return present
    const prewarm = this.#prewarm(agent)
      .then((outcome) => {
        this.#metrics.prewarmed(outcome)
        return outcome
      })
      .finally(() => this.#prewarms.delete(agent))
    this.#prewarms.set(agent, prewarm)
    return prewarm
  }

  close(): void {
    this.#closing.abort(new Interrupted())
  }

  async #prewarm(agent: AgentKey): Promise<PrewarmOutcome> {
    const { clock, settings, logger } = this.#context
    await this.#local.settled(agent)
    const needless = this.#needless(agent)
    if (needless) return needless

    const interruption = this.#interruption(agent)
    try {
      const places = await settings.get('agents.startConcurrency')
      return await within(clock, DEADLINE_MS, interruption.signal, async (signal) => {
        const leaveGate = await this.#gate.enter(places, { signal, tell: () => {} })
        try {
          return this.#needless(agent) ?? (await this.#chat(agent, signal))
        } finally {
          leaveGate()
        }
      })
    } catch (error) {
      if (interruption.signal.aborted) return 'interrupted'
      logger.info({ err: error, agent }, 'Could not prewarm an agent')
      this.#local.warm.delete(agent)
      return 'failed'
    } finally {
      interruption.end()
    }
  }

  async #chat(agent: AgentKey, signal: AbortSignal): Promise<PrewarmOutcome> {
    const gateway = this.#gatewayOf(agent)!
    await this.#gateway.prewarm(gateway.url, gateway.token, signal)
    this.#warmed(gateway)
    return 'prewarmed'
  }

  /** Returns why prewarming is unnecessary, or null. */
  #needless(agent: AgentKey): PrewarmOutcome | null {
    const gateway = this.#gatewayOf(agent)
    if (!gateway) return 'asleep'
    if (this.#chats.has(agent)) return 'chatting'
    const warmedAt = this.#warmedAt.get(gateway) ?? -Infinity
    return this.#context.clock.elapsed() - warmedAt < WARM_MS ? 'warm' : null
  }

  #gatewayOf(agent: AgentKey): GatewayAccess | null {
    return this.#local.warm.get(agent) ?? null
  }

  #warmed(gateway: GatewayAccess | null): void {
    if (gateway) this.#warmedAt.set(gateway, this.#context.clock.elapsed())
  }

  /** A gateway does not exit during a chat, so the hidden chat is aborted when a stop begins. */
  #interruption(agent: AgentKey): { signal: AbortSignal; end: () => void } {
    const stopped = new AbortController()
    const end = this.#local.subscribe(agent, (event) => {
      if (event.type === 'status' && event.agent.status === 'stopping') {
        stopped.abort(new Interrupted())
      }
    })
    return { signal: AbortSignal.any([stopped.signal, this.#closing.signal]), end }
  }
}
