import { LRUCache } from 'lru-cache'
import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import type { AgentMetrics } from '#agents/metrics'
import type { LocalState } from '#agents/state/local_state'
import { Prewarm } from '#agents/state/prewarm'
import { StartGate } from '#agents/waking/start_gate'
import { WakeDurations } from '#agents/waking/wake_durations'
import type { AgentKey, GatewayAccess, PrewarmOutcome } from '#agents/types'
import type { GatewayClient } from '#openclaw/gateway_client'

/**
 * A gateway stops its workers after a minute without a chat. After half of that it is prewarmed again: it
 * might turn cold while the user types, and prewarming a warm gateway costs little.
 */
const WARM_MS = 30_000

/** A gateway's first chat takes twenty seconds on a busy machine. After this time prewarming is pointless. */
const DEADLINE_MS = 60_000

/** Agents whose last chat is remembered. One beyond counts as cold: it is prewarmed for nothing. */
const MOST_REMEMBERED = 10_000

/** One key for all runtimes: a prewarm is the gateway's own work, and takes the same time everywhere. */
const EVERY_RUNTIME = ''

/** The agent or Mosaic is being stopped, or a message came first. */
class Interrupted extends Error {
  override name = 'Interrupted'
}

interface Run {
  outcome: Promise<PrewarmOutcome>
  shown: Prewarm
  cancel: AbortController
}

/**
 * Prepares agents for the first message of users who came to write one, by a hidden background chat with
 * Mosaic's own primer model. It does not count as use, so it keeps no agent awake. If it fails, the user only
 * gets a slower answer. A message that comes first aborts it: two chats at once would load the same modules
 * twice.
 */
export class Prewarmer {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>
  readonly #local: LocalState
  readonly #metrics: AgentMetrics
  readonly #gateway: Pick<GatewayClient, 'prewarm'>
  /** Separate from the start gate, so that prewarming never delays a start. */
  readonly #gate = new StartGate()
  readonly #runs = new Map<AgentKey, Run>()
  readonly #durations = new WakeDurations()
  readonly #chats = new Map<AgentKey, number>()
  /**
   * When each agent's gateway last ended a chat. A restarted gateway has a new token, and so counts as cold; one
   * that rested has the same.
   */
  readonly #chatted = new LRUCache<AgentKey, { token: string; at: number }>({
    max: MOST_REMEMBERED,
  })
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
    this.#giveWay(agent)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const others = this.#chats.get(agent)! - 1
      if (others > 0) this.#chats.set(agent, others)
      else this.#chats.delete(agent)
      this.#warmed(agent, this.#gatewayOf(agent))
    }
  }

  /**
   * Prewarms the agent after its wake, unless it is warm by then. Call it after `start`, or with the
   * preceding restart, when the user arrives; it wakes no agent itself. Concurrent calls for an agent share
   * one run. Never rejects.
   */
  prewarm(agent: AgentKey, restart?: Promise<unknown>): Promise<PrewarmOutcome> {
    const present = this.#runs.get(agent)
    /** Handled at once: a run under way may last a minute, and the restart fail before. */
    const restarted = restart?.catch(() => {})
    if (present && restarted) return present.outcome.then(() => this.prewarm(agent, restarted))
    if (present) return present.outcome

    const shown = new Prewarm(this.#context.clock, this.#durations.usual(EVERY_RUNTIME))
    const cancel = new AbortController()
    const outcome = this.#prewarm(agent, shown, cancel.signal, restarted)
      .catch((error: unknown) => this.#failed(agent, error))
      .then((ended) => {
        this.#metrics.prewarmed(ended)
        return ended
      })
      .finally(() => {
        this.#runs.delete(agent)
        this.#hide(agent, shown)
      })
    this.#runs.set(agent, { outcome, shown, cancel })
    return outcome
  }

  close(): void {
    this.#closing.abort(new Interrupted())
  }

  async #prewarm(
    agent: AgentKey,
    shown: Prewarm,
    cancelled: AbortSignal,
    restart?: Promise<unknown>
  ): Promise<PrewarmOutcome> {
    const { prewarms, wakes } = this.#local
    if (restart || wakes.has(agent)) prewarms.set(agent, shown)
    await restart
    await this.#local.settled(agent)
    const needless = this.#needless(agent)
    if (needless) return needless

    const isCold = await this.#isCold(agent)
    if (cancelled.aborted) return 'chatting'
    shown.begin()
    /** A resting agent has resumed: it answers at once, and the prewarm goes on unseen. */
    if (isCold) prewarms.set(agent, shown)
    else this.#hide(agent, shown)
    await this.#local.tellPresent(agent)
    if (prewarms.get(agent) === shown) {
      this.#local.events.emit(agent, { type: 'progress', progress: shown.at('prewarming') })
    }
    const outcome = await this.#inTurn(agent, cancelled)
    if (outcome === 'prewarmed') this.#durations.add(EVERY_RUNTIME, shown.elapsedMs)
    return outcome
  }

  async #inTurn(agent: AgentKey, cancelled: AbortSignal): Promise<PrewarmOutcome> {
    const { clock, settings } = this.#context
    const interruption = this.#interruption(agent, cancelled)
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
      if (cancelled.aborted) return 'chatting'
      if (interruption.signal.aborted) return 'interrupted'
      this.#local.warm.delete(agent)
      return this.#failed(agent, error)
    } finally {
      interruption.end()
    }
  }

  #failed(agent: AgentKey, error: unknown): PrewarmOutcome {
    this.#context.logger.info({ err: error, agent }, 'Could not prewarm an agent')
    return 'failed'
  }

  /** Aborts the prewarm in favour of a message, whose chat loads the rest itself. */
  #giveWay(agent: AgentKey): void {
    const run = this.#runs.get(agent)
    if (!run) return
    run.cancel.abort(new Interrupted())
    this.#hide(agent, run.shown)
  }

  /** Stops showing the prewarm: the agent's status is that of its row again. */
  #hide(agent: AgentKey, shown: Prewarm): void {
    const { prewarms, events } = this.#local
    if (prewarms.get(agent) !== shown) return
    prewarms.delete(agent)
    if (this.#gatewayOf(agent)) {
      events.emit(agent, { type: 'progress', progress: shown.at('ready') })
    }
    void this.#local.tellPresent(agent)
  }

  /**
   * Returns whether the next message would be slow: the gateway has not chatted yet, or its idle workers have
   * stopped.
   */
  async #isCold(agent: AgentKey): Promise<boolean> {
    const gateway = this.#gatewayOf(agent)
    if (!gateway || this.#warmedAt(agent, gateway) === null) return true
    return !(await this.#context.settings.get('agents.keepWorkers'))
  }

  async #chat(agent: AgentKey, signal: AbortSignal): Promise<PrewarmOutcome> {
    const gateway = this.#gatewayOf(agent)!
    await this.#gateway.prewarm(gateway.url, gateway.token, signal)
    this.#warmed(agent, gateway)
    return 'prewarmed'
  }

  /** Returns why prewarming is unnecessary, or null. */
  #needless(agent: AgentKey): PrewarmOutcome | null {
    const gateway = this.#gatewayOf(agent)
    if (!gateway) return 'asleep'
    if (this.#chats.has(agent)) return 'chatting'
    const warmedAt = this.#warmedAt(agent, gateway) ?? -Infinity
    return this.#context.clock.elapsed() - warmedAt < WARM_MS ? 'warm' : null
  }

  #gatewayOf(agent: AgentKey): GatewayAccess | null {
    return this.#local.warm.get(agent) ?? null
  }

  #warmed(agent: AgentKey, gateway: GatewayAccess | null): void {
    if (!gateway) return
    const at = this.#context.clock.elapsed()
    const last = this.#chatted.get(agent)
    if (last?.token === gateway.token) last.at = at
    else this.#chatted.set(agent, { token: gateway.token, at })
  }

  /** Returns null if the gateway has not chatted since it started. */
  #warmedAt(agent: AgentKey, { token }: GatewayAccess): number | null {
    const last = this.#chatted.get(agent)
    return last?.token === token ? last.at : null
  }

  /** Aborts the hidden chat when a stop begins, because a gateway does not exit during a chat. */
  #interruption(agent: AgentKey, cancelled: AbortSignal): { signal: AbortSignal; end: () => void } {
    const stopped = new AbortController()
    const end = this.#local.subscribe(agent, (event) => {
      if (event.type === 'status' && event.agent.status === 'stopping') {
        stopped.abort(new Interrupted())
      }
    })
    return { signal: AbortSignal.any([stopped.signal, this.#closing.signal, cancelled]), end }
  }
}
