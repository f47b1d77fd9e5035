import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Logger } from '@adonisjs/core/logger'
import { allowsCall, isFreeCall } from '#llm/api_calls'
import { assertCallable } from '#llm/guarded_dispatcher'
import { heldBody } from '#llm/held_answers'
import type { TokenUsage } from '#llm/token_usage'
import type { AgentName } from '#openclaw/agent_name'
import { E_AGENT_UNAUTHORIZED } from '#openclaw/errors'
import { CALL_LIMIT, IN_PLACE_LIMIT, withJsonOf } from '#llm_relay/call_body'
import type { ProviderEmbeddings } from '#llm_relay/embeddings'
import { embeddingAnswer, isEmbeddingCall, readEmbeddingCall } from '#llm_relay/embedding_call'
import { decodedBody } from '#llm_relay/decoded_body'
import { errorText, redact } from '#llm_relay/error_text'
import { E_AGENT_CALL_TOO_LARGE, E_AGENT_CALLS_FULL } from '#llm_relay/errors'
import { beginningOf } from '#llm_relay/first_message'
import { toAgent, toProvider } from '#llm_relay/headers'
import { mediaType } from '#llm_relay/media_type'
import { callProvider } from '#llm_relay/provider_call'
import type { ProviderError } from '#llm_relay/provider_error'
import type { ProviderFailure, ProviderFailures } from '#llm_relay/provider_failures'
import type { RelayTarget, RelayTargets } from '#llm_relay/relay_targets'
import { retryAfter } from '#llm_relay/retry_after'
import { ReplayableBody } from '#llm_relay/replayable_body'
import { transportFailure } from '#llm_relay/transport_failure'
import { upstreamUrl } from '#llm_relay/upstream_url'
import { tapUsage } from '#llm_relay/usage_tap'
import { judge, judgeError, sentence, takeTheNextModel, type Verdict } from '#llm_relay/verdict'

/** A model call on its way to a provider. */
export interface ModelCall {
  method: string
  /** The path after the provider's id, with the query, still encoded. Begins with a slash. */
  rest: string
  headers: IncomingHttpHeaders
  body: Readable
  /** Aborts when the caller leaves. */
  signal: AbortSignal
}

/** An agent's model call, as it arrived. */
export interface AgentCall extends ModelCall {
  /** The agent's bearer token, or null. */
  token: string | null
  providerId: string
}

/** The response to the caller. Streams are not buffered: the reader sets the pace. */
export interface ProviderResponse {
  status: number
  headers: Record<string, string>
  body: Readable | string
  /** Set if the provider failed: status and body are then what the agent gets instead. */
  failure?: Omit<ProviderFailure, 'at'>
}

export interface RelayDeadlines {
  /** From the call to the first byte of the answer. A local model may have to be loaded first. */
  firstByteMs: number
  /** Between two chunks of a stream. */
  idleMs: number
  /** For reading an error's body. */
  errorBodyMs: number
  /** For the first message of an answer; after that, its start is passed on unchecked. */
  holdMs: number
}

const DEADLINES: RelayDeadlines = {
  firstByteMs: 120_000,
  idleMs: 300_000,
  errorBodyMs: 5000,
  holdMs: 10_000,
}

/** Responses with a page come from a sign-in or a proxy, not from a model. */
const PAGES = new Set(['text/html', 'application/xhtml+xml'])

const JSON_BODY = { 'content-type': 'application/json' }

/**
 * Forwards an agent's model calls to its owner's provider. The agent never sees the key, nor any error that
 * would make it give up on the whole provider.
 */
export class LlmRelay {
  readonly #deadlines: RelayDeadlines

  constructor(
    protected targets: RelayTargets,
    protected failures: ProviderFailures,
    /** Reaches only addresses allowed by the settings. */
    protected dispatcher: () => Promise<Dispatcher>,
    protected logger: Logger,
    /** Called with the usage of each call once it is over. */
    protected spent: (agent: AgentName, usage: TokenUsage) => void,
    protected embeddings: Pick<ProviderEmbeddings, 'at'>,
    deadlines: Partial<RelayDeadlines> = {}
  ) {
    this.#deadlines = { ...DEADLINES, ...deadlines }
  }

  /**
   * Answers the call. Provider failures become responses, not exceptions.
   *
   * @throws E_AGENT_UNAUTHORIZED if the provider is not the agent's, or the token is unknown
   * @throws E_AGENT_CALL_TOO_LARGE, E_AGENT_CALLS_FULL, E_LLM_ANSWERS_FULL
   * @throws the signal's reason if the agent left
   */
  async answer(call: AgentCall): Promise<ProviderResponse> {
    const target = await this.targets.find(call.token, call.providerId)
    if (!target) throw new E_AGENT_UNAUTHORIZED()
    if (Number(call.headers['content-length'] ?? 0) > CALL_LIMIT) throw new E_AGENT_CALL_TOO_LARGE()

    const { name, isActive } = target.provider
    const path = call.rest.split('?', 1)[0]
    const isAllowed = allowsCall(target.calls, call.method, path)
    /** Services with another API for vectors are asked through their adapter. */
    const isTranslated = !isAllowed && isEmbeddingCall(call.method, path) && target.adapter.embed
    if (!isAllowed && !isTranslated) {
      const message = `Mosaic passes no ${call.method} on ${path.slice(0, 100)} to ${name}.`
      return this.#instead(target, takeTheNextModel('not_found', name, message))
    }
    if (!isActive) return this.#instead(target, takeTheNextModel('inactive', name))
    return isTranslated ? this.#embed(call, target) : this.send(call, target)
  }

  /** Sends a call that is already authorized. Throws like `answer`, except E_AGENT_UNAUTHORIZED. */
  send(call: ModelCall, target: RelayTarget): Promise<ProviderResponse> {
    const isFree = isFreeCall(target.calls, call.method, call.rest.split('?', 1)[0])
    const asked = isFree ? { ...target, isFree } : target
    return target.adapter.respond ? this.#inPlace(call, asked) : this.#forward(call, asked)
  }

  async #forward(call: ModelCall, target: RelayTarget): Promise<ProviderResponse> {
    const { name } = target.provider
    const url = target.baseUrl && upstreamUrl(target.baseUrl, call.rest)
    if (!url) return this.#instead(target, takeTheNextModel('not_found', name))

    const body =
      call.method === 'GET' ? null : new ReplayableBody(call.body, CALL_LIMIT, target.agent)
    const late = new AbortController()
    const firstByte = setTimeout(() => late.abort(), this.#deadlines.firstByteMs)
    try {
      const answer = await callProvider(await this.dispatcher(), {
        url: assertCallable(url),
        method: call.method as Dispatcher.HttpMethod,
        headers: this.#headers(call, target),
        body,
        signal: AbortSignal.any([call.signal, late.signal]),
        headersTimeout: this.#deadlines.firstByteMs,
        bodyTimeout: this.#deadlines.idleMs,
      })
      return await this.#passOn(target, answer).catch((error: unknown) => {
        answer.body.on('error', () => {}).destroy()
        throw error
      })
    } catch (error) {
      call.signal.throwIfAborted()
      if (error instanceof E_AGENT_CALL_TOO_LARGE) throw error
      const reason = late.signal.aborted ? 'timeout' : transportFailure(error)
      return this.#instead(target, takeTheNextModel(reason, name), error)
    } finally {
      body?.release()
      clearTimeout(firstByte)
    }
  }

  #headers(call: ModelCall, { adapter, apiKey }: RelayTarget): Headers {
    const headers = toProvider(call.headers)
    adapter.headers?.(headers)
    if (apiKey) adapter.authorize(headers, apiKey)
    return headers
  }

  async #passOn(target: RelayTarget, answer: Dispatcher.ResponseData): Promise<ProviderResponse> {
    const { statusCode: status, headers } = answer
    const { body, isDecoded } = decodedBody(answer.body, headers['content-encoding'])
    const { agent, apiKey, provider } = target
    const { name } = provider
    const stated = retryAfter(headers['retry-after'])
    /** A body abandoned halfway emits an error, which is irrelevant. */
    body.on('error', () => {})
    if (status >= 300) {
      const text = await errorText(body, this.#deadlines.errorBodyMs, apiKey)
      const verdict = judge({ status, body: text }, name, target.adapter)
      const retryAfterSec = stated ?? verdict.retryAfterSec
      return this.#instead(target, verdict, undefined, { status, retryAfterSec })
    }
    if (PAGES.has(mediaType(headers))) {
      body.destroy()
      return this.#instead(target, takeTheNextModel('bad_response', name))
    }

    const { error, isEmpty, body: whole } = await beginningOf(body, this.#deadlines.holdMs, agent)
    if (error) {
      body.destroy()
      const message = redact(error.message, apiKey)
      const retryAfterSec = stated ?? error.retryAfterSec
      const verdict = judgeError({ ...error, message }, name)
      return this.#instead(target, verdict, undefined, { retryAfterSec })
    }
    if (isEmpty) {
      whole.destroy()
      return this.#instead(target, takeTheNextModel('bad_response', name))
    }
    whole.once('error', (broken) => this.#brokeOff(target, broken))
    return this.#metered(target, { status, headers: toAgent(headers, isDecoded), body: whole })
  }

  async #inPlace(call: ModelCall, target: RelayTarget): Promise<ProviderResponse> {
    const path = call.rest.split('?')[0]
    try {
      const answer = await withJsonOf(call.body, IN_PLACE_LIMIT, target.agent, (body) =>
        target.adapter.respond!({ path, body, signal: call.signal })
      )
      return this.#metered(target, {
        status: answer.status,
        headers: toAgent(Object.fromEntries(answer.headers)),
        body: answer.body ? Readable.fromWeb(answer.body as ReadableStream) : '',
      })
    } catch (error) {
      call.signal.throwIfAborted()
      if (error instanceof E_AGENT_CALL_TOO_LARGE || error instanceof E_AGENT_CALLS_FULL)
        throw error
      return this.#instead(target, takeTheNextModel('bad_response', target.provider.name), error)
    }
  }

  async #embed(call: ModelCall, target: RelayTarget): Promise<ProviderResponse> {
    const { name } = target.provider
    return withJsonOf(call.body, IN_PLACE_LIMIT, target.agent, async (body) => {
      const asked = readEmbeddingCall(body)
      if (!asked) return this.#instead(target, takeTheNextModel('bad_request', name))
      const made = await this.embeddings.at(target, asked, call.signal)
      if (!made.ok) return this.#instead(target, takeTheNextModel(made.reason, name, made.message))
      const answer = embeddingAnswer(made, asked)
      const headers = { ...JSON_BODY, 'content-length': String(answer.length) }
      return { status: 200, headers, body: heldBody(target.agent, answer, call.signal) }
    })
  }

  #metered(target: RelayTarget, answer: ProviderResponse): ProviderResponse {
    const { headers, body } = answer
    if (target.isHidden || target.isFree || typeof body === 'string') return answer
    const spent = (usage: TokenUsage) => this.spent(target.agent, usage)
    return {
      ...answer,
      body: tapUsage(body, headers, spent, (error) => this.#failedLate(target, error)),
    }
  }

  /** Builds the response for a failed provider, and records the reason. */
  async #instead(
    target: RelayTarget,
    { status, body, reason, message }: Verdict,
    cause?: unknown,
    told: Pick<ProviderFailure, 'status' | 'retryAfterSec'> = {}
  ): Promise<ProviderResponse> {
    const failure = { provider: target.provider.name, reason, message, ...told }
    /** Recorded first: the agent may report at once that all its models failed. */
    await this.#remember(target, failure, cause)
    return { status, headers: JSON_BODY, body, failure }
  }

  /** Too late to replace the response: the agent sees the error in its stream. */
  #failedLate(target: RelayTarget, error: ProviderError): void {
    const { name } = target.provider
    const told = { ...error, message: redact(error.message, target.apiKey) }
    const { reason, message } = judgeError(told, name)
    void this.#remember(target, { provider: name, reason, message })
  }

  /** Too late to replace the response: the agent sees a truncated stream. */
  #brokeOff(target: RelayTarget, error: Error): void {
    if (error.name === 'AbortError') return
    const reason = transportFailure(error)
    const { name } = target.provider
    const message =
      reason === 'timeout'
        ? sentence(reason, name)
        : `${name} broke off in the middle of its answer.`
    void this.#remember(target, { provider: name, reason, message }, error)
  }

  async #remember(
    { agent, provider, isHidden, isDirect }: RelayTarget,
    failure: Omit<ProviderFailure, 'at'>,
    cause?: unknown
  ): Promise<void> {
    const { reason } = failure
    if (!isHidden && !isDirect) await this.failures.record(agent, failure)
    const code = (cause as { code?: string } | undefined)?.code
    this.logger.warn({ agent, providerId: provider.id, reason, code }, 'a provider failed an agent')
  }
}
