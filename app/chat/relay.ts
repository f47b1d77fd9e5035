import type { IncomingHttpHeaders } from 'node:http'
import { Agent } from 'undici'
import { gatewayConnector } from '#runtimes/gateway_connections'
import { Exception } from '@adonisjs/core/exceptions'
import type { AgentKey, GatewayAccess, WakeProgress } from '#agents/types'
import { upstreamHeaders } from '#chat/headers'
import { RelayMetrics } from '#chat/relay_metrics'
import { ClientLeft, RunningCalls, type RelayClient } from '#chat/running_calls'
import { UpstreamCall, NotDelivered, type AnswerReceiver } from '#chat/upstream_call'
import { E_AGENT_GONE, E_AGENT_SILENT, E_AGENT_UNREACHABLE, E_AGENT_WAKING } from '#chat/errors'

/** The parts of the agents' lifecycle that the relay needs. */
export interface Waker {
  ensureRunning(
    agent: AgentKey,
    options?: { signal?: AbortSignal; onProgress?: (progress: WakeProgress) => void }
  ): Promise<GatewayAccess>
  peek(agent: AgentKey): GatewayAccess | null
  /** Returns a running agent's gateway, and null rather than waking another. */
  running(agent: AgentKey): Promise<GatewayAccess | null>
  /** Whether the agent has never run, and so has no data; false as soon as its first wake has begun. */
  isNew(agent: AgentKey): Promise<boolean>
  invalidate(agent: AgentKey): void
  /** Settles once pending settings have reached the agent; null if there are none. */
  rollout(agent: AgentKey): Promise<void> | null
}

/** Counts a request in flight; call the returned function when it ends. */
export interface ActivityCounter {
  /** Counts a chat as use until the returned function is called. One that `joins` a run is not another chat. */
  begin(agent: AgentKey, options?: { joins?: boolean }): () => void
}

export interface RelayOptions {
  /** Milliseconds to connect to a gateway on the same machine or network. */
  connectTimeoutMs: number
  /** Milliseconds a gateway may stay silent: agents think and use tools between words. */
  silenceTimeoutMs: number
}

const DEFAULTS: RelayOptions = { connectTimeoutMs: 5000, silenceTimeoutMs: 10 * 60_000 }

/** One call of a gateway in progress. */
export interface GatewayCall {
  /** Resolves when the receiver has everything; rejects with the reason if it has not. */
  readonly done: Promise<void>
  abort(reason: Error): void
}

/** One message on its way to an agent. */
export interface Turn {
  agent: AgentKey
  /** The conversation, or null for one that is not kept. */
  sessionKey: string | null
  /** Overrides the agent's model, by the gateway's name for it. */
  model: string | null
  /** The client's own headers; the relay picks those it may pass on. */
  headers: IncomingHttpHeaders
  /** The body of `POST /v1/chat/completions`, or of `path`. */
  body: Buffer | string
  /** Another OpenAI endpoint that a gateway offers. */
  path?: '/v1/responses'
  onProgress?: (progress: WakeProgress) => void
  /** Where the run is under way already: nothing is sent, and nobody woken. */
  joins?: GatewayAccess
  /** Another way to the gateway, tried before HTTP. One that rejects with `NotDelivered` leaves it to HTTP. */
  call?: (access: GatewayAccess, receiver: AnswerReceiver) => GatewayCall
  /** Called just before the message goes to this gateway by HTTP. */
  onCall?: (access: GatewayAccess) => void
  /** Milliseconds to wait for a wake, if the client cannot be sent progress meanwhile. */
  wakeTimeoutMs?: number
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/**
 * Carries a user's message to their agent's gateway, and the answer back. Wakes the agent, keeps connections
 * to each gateway open, streams the answer, and ends the call when the client leaves.
 */
export class ChatRelay {
  readonly #waker: Waker
  readonly #activity: ActivityCounter
  readonly #metrics: RelayMetrics
  readonly #options: RelayOptions
  readonly #gateways: Agent
  readonly #calls = new RunningCalls()

  constructor(
    waker: Waker,
    activity: ActivityCounter,
    options: Partial<RelayOptions> = {},
    metrics = new RelayMetrics()
  ) {
    this.#waker = waker
    this.#metrics = metrics
    this.#activity = activity
    this.#options = { ...DEFAULTS, ...options }
    this.#gateways = new Agent({
      connect: gatewayConnector({ timeout: this.#options.connectTimeoutMs }),
      headersTimeout: this.#options.silenceTimeoutMs,
      bodyTimeout: this.#options.silenceTimeoutMs,
    })
  }

  /**
   * Sends a turn and passes the answer to the receiver. Resolves once all of it is delivered. If the client's
   * connection closes, the call ends and this rejects with `ClientLeft`.
   *
   * A gateway that cannot be reached or does not admit the request is looked up and tried once more. An
   * admitted message is never sent again: the agent would act twice.
   *
   * @throws AgentUnavailable, E_AGENT_WAKING, E_AGENT_UNREACHABLE, E_AGENT_GONE, E_AGENT_SILENT,
   * E_MOSAIC_STOPPING, and whatever the receiver throws
   */
  async send(turn: Turn, receiver: AnswerReceiver, client: RelayClient): Promise<void> {
    const { joins } = turn
    const rollout = joins ? null : this.#waker.rollout(turn.agent)
    if (rollout) await this.#outlast(rollout, client)
    this.#calls.admit()
    const endActivity = this.#activity.begin(turn.agent, { joins: joins !== undefined })
    try {
      const access = joins ?? this.#waker.peek(turn.agent) ?? (await this.#wake(turn, client))
      try {
        await this.#call(access, turn, receiver, client)
      } catch (error) {
        await this.#again(error, turn, receiver, client)
      }
    } finally {
      endActivity()
    }
  }

  /** Refuses new turns, gives running ones this many milliseconds to end, then aborts the rest. */
  drain(ms: number): Promise<void> {
    return this.#calls.drain(ms)
  }

  /** Ends all calls and closes the connections to all gateways. */
  async destroy(): Promise<void> {
    await this.#gateways.destroy()
  }

  /** Looks the gateway up again, and resends a message that was not delivered. */
  async #again(
    error: unknown,
    turn: Turn,
    receiver: AnswerReceiver,
    client: RelayClient
  ): Promise<void> {
    if (!(error instanceof NotDelivered) || turn.joins) throw this.#explain(error, turn.agent)
    this.#waker.invalidate(turn.agent)
    const renewed = await this.#wake(turn, client)
    await this.#call(renewed, turn, receiver, client).catch((failure: unknown) => {
      throw this.#explain(failure, turn.agent)
    })
  }

  /**
   * Waits for a settings rollout, so that a message sent after a save is answered with the new settings. The
   * message counts as in flight only afterwards, because the rollout may wait until nothing is.
   */
  async #outlast(rollout: Promise<void>, client: RelayClient): Promise<void> {
    const ended = Promise.withResolvers<never>()
    const over = this.#calls.begin(client, ended.reject)
    try {
      await Promise.race([rollout, ended.promise])
    } finally {
      over()
    }
  }

  async #wake(turn: Turn, client: RelayClient): Promise<GatewayAccess> {
    const waiting = new AbortController()
    const end = (reason: Error) => waiting.abort(reason)
    const over = this.#calls.begin(client, end)
    const deadline =
      turn.wakeTimeoutMs === undefined
        ? undefined
        : setTimeout(() => end(new E_AGENT_WAKING()), turn.wakeTimeoutMs)
    try {
      return await this.#waker.ensureRunning(turn.agent, {
        signal: waiting.signal,
        onProgress: turn.onProgress,
      })
    } catch (error) {
      throw waiting.signal.aborted ? waiting.signal.reason : error
    } finally {
      clearTimeout(deadline)
      over()
    }
  }

  async #call(
    access: GatewayAccess,
    turn: Turn,
    receiver: AnswerReceiver,
    client: RelayClient
  ): Promise<void> {
    const watched = this.#metrics.watch(receiver)
    let endCall: (() => void) | null = null
    try {
      if (turn.call && (await this.#took(turn.call(access, watched), client))) return
      if (client.destroyed) throw new ClientLeft()
      turn.onCall?.(access)
      const call = this.#dispatch(access, turn, watched)
      endCall = this.#calls.begin(client, (reason) => call.abort(reason))
      await call.done
    } finally {
      endCall?.()
      watched.ended()
    }
  }

  /**
   * Returns false if the message was not delivered. Separate from `#call`, because every promise slows its HTTP path,
   * which is the busiest.
   */
  async #took(call: GatewayCall, client: RelayClient): Promise<boolean> {
    const over = this.#calls.begin(client, (reason) => call.abort(reason))
    try {
      await call.done
      return true
    } catch (error) {
      if (error instanceof NotDelivered) return false
      throw error
    } finally {
      over()
    }
  }

  #dispatch(access: GatewayAccess, turn: Turn, receiver: AnswerReceiver): UpstreamCall {
    const call = new UpstreamCall(receiver)
    this.#gateways.dispatch(
      {
        origin: access.url,
        path: turn.path ?? '/v1/chat/completions',
        method: 'POST',
        headers: upstreamHeaders({
          client: turn.headers,
          token: access.token,
          sessionKey: turn.sessionKey,
          model: turn.model,
        }),
        body: turn.body,
      },
      call
    )
    return call
  }

  /** Whatever failed, the cached address is dropped: it may have changed hands. */
  #explain(error: unknown, agent: AgentKey): Error {
    if (error instanceof Exception || error instanceof ClientLeft) return error
    if (TIMEOUTS.has((error as { code?: string }).code ?? '')) {
      return new E_AGENT_SILENT(undefined, { cause: error })
    }
    this.#waker.invalidate(agent)
    if (error instanceof NotDelivered) return new E_AGENT_UNREACHABLE(undefined, { cause: error })
    return new E_AGENT_GONE(undefined, { cause: error })
  }
}
