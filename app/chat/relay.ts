import type { ServerResponse, IncomingHttpHeaders } from 'node:http'
import { Agent } from 'undici'
import { Exception } from '@adonisjs/core/exceptions'
import type { AgentKey, GatewayAccess, WakeProgress } from '#agents/types'
import { upstreamHeaders } from '#chat/headers'
import { UpstreamCall, NotDelivered, ClientLeft, type AnswerReceiver } from '#chat/upstream_call'
import { E_AGENT_GONE, E_AGENT_SILENT, E_AGENT_UNREACHABLE, E_AGENT_WAKING } from '#chat/errors'

/** What the relay needs of the agents' lifecycle. */
export interface Waker {
  ensureRunning(
    agent: AgentKey,
    options?: { signal?: AbortSignal; onProgress?: (progress: WakeProgress) => void }
  ): Promise<GatewayAccess>
  peek(agent: AgentKey): GatewayAccess | null
  invalidate(agent: AgentKey): void
}

/** Counts a request in flight; the returned function ends it. */
export interface ActivityCounter {
  begin(agent: AgentKey): () => void
}

export interface RelayOptions {
  /** Milliseconds to connect to a gateway, on the same machine or network. */
  connectTimeoutMs: number
  /** Milliseconds a gateway may be silent: agents think and use tools between two words. */
  silenceTimeoutMs: number
}

const DEFAULTS: RelayOptions = { connectTimeoutMs: 5000, silenceTimeoutMs: 10 * 60_000 }

/** One message on its way to an agent. */
export interface Turn {
  agent: AgentKey
  /** The conversation, or null for one that is forgotten afterwards. */
  sessionKey: string | null
  /** The model to use instead of the agent's own choice, as the gateway names it. */
  model: string | null
  /** The client's own headers; the relay picks what may pass. */
  headers: IncomingHttpHeaders
  /** The body of `POST /v1/chat/completions`. */
  body: Buffer | string
  onProgress?: (progress: WakeProgress) => void
  /** Milliseconds to wait for a wake, where the client cannot be told meanwhile that it goes on. */
  wakeTimeoutMs?: number
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/**
 * From a user's message to their agent's gateway and back. Wakes the agent, keeps connections to each
 * gateway open, hands the answer on as it comes, and ends the call when the client leaves.
 */
export class ChatRelay {
  readonly #waker: Waker
  readonly #activity: ActivityCounter
  readonly #options: RelayOptions
  readonly #gateways: Agent

  constructor(waker: Waker, activity: ActivityCounter, options: Partial<RelayOptions> = {}) {
    this.#waker = waker
    this.#activity = activity
    this.#options = { ...DEFAULTS, ...options }
    this.#gateways = new Agent({
      connect: { timeout: this.#options.connectTimeoutMs },
      headersTimeout: this.#options.silenceTimeoutMs,
      bodyTimeout: this.#options.silenceTimeoutMs,
    })
  }

  /** Whether a message would be answered without waiting for a wake. */
  isAwake(agent: AgentKey): boolean {
    return this.#waker.peek(agent) !== null
  }

  /**
   * Sends a turn and hands the answer to the receiver. Resolves when all of it was handed over.
   * The client's connection ends the call when it closes; that rejects with `ClientLeft`.
   *
   * A gateway that cannot be reached is asked for anew, once. What it already took is never sent again:
   * an agent would act twice.
   *
   * @throws AgentUnavailable, E_AGENT_WAKING, E_AGENT_UNREACHABLE, E_AGENT_GONE, E_AGENT_SILENT, what the receiver throws
   */
  async send(turn: Turn, receiver: AnswerReceiver, client: ServerResponse): Promise<void> {
    const endActivity = this.#activity.begin(turn.agent)
    try {
      const cached = this.#waker.peek(turn.agent)
      const access = cached ?? (await this.#wake(turn, client))
      await this.#deliver(access, turn, receiver, client)
    } finally {
      endActivity()
    }
  }

  /** Ends all calls and the connections to all gateways. */
  async destroy(): Promise<void> {
    await this.#gateways.destroy()
  }

  async #deliver(
    access: GatewayAccess,
    turn: Turn,
    receiver: AnswerReceiver,
    client: ServerResponse
  ): Promise<void> {
    try {
      await this.#call(access, turn, receiver, client)
    } catch (error) {
      if (error instanceof ClientLeft) throw error
      if (!(error instanceof NotDelivered)) throw this.#explain(error, turn.agent)
      this.#waker.invalidate(turn.agent)
      const renewed = await this.#wake(turn, client)
      await this.#call(renewed, turn, receiver, client).catch((failure: unknown) => {
        if (failure instanceof NotDelivered) {
          this.#waker.invalidate(turn.agent)
          throw new E_AGENT_UNREACHABLE(undefined, { cause: failure })
        }
        throw failure instanceof ClientLeft ? failure : this.#explain(failure, turn.agent)
      })
    }
  }

  async #wake(turn: Turn, client: ServerResponse): Promise<GatewayAccess> {
    const waiting = new AbortController()
    const leave = () => waiting.abort(new ClientLeft())
    if (client.destroyed) leave()
    client.once('close', leave)
    const deadline =
      turn.wakeTimeoutMs === undefined
        ? undefined
        : setTimeout(() => waiting.abort(new E_AGENT_WAKING()), turn.wakeTimeoutMs)
    try {
      return await this.#waker.ensureRunning(turn.agent, {
        signal: waiting.signal,
        onProgress: turn.onProgress,
      })
    } catch (error) {
      throw waiting.signal.aborted ? waiting.signal.reason : error
    } finally {
      clearTimeout(deadline)
      client.removeListener('close', leave)
    }
  }

  #call(
    access: GatewayAccess,
    turn: Turn,
    receiver: AnswerReceiver,
    client: ServerResponse
  ): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (client.destroyed) return reject(new ClientLeft())
      const call = new UpstreamCall(receiver, resolve, reject)
      client.once('close', () => call.leave())
      this.#gateways.dispatch(
        {
          origin: access.url,
          path: '/v1/chat/completions',
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
    })
  }

  /** The gateway's connection broke after it took the message: it may be gone, so its address is too. */
  #explain(error: unknown, agent: AgentKey): Exception {
    if (error instanceof Exception) return error
    if (TIMEOUTS.has((error as { code?: string }).code ?? '')) {
      return new E_AGENT_SILENT(undefined, { cause: error })
    }
    this.#waker.invalidate(agent)
    return new E_AGENT_GONE(undefined, { cause: error })
  }
}
