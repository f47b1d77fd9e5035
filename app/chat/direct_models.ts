import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ownerOf } from '#openclaw/agent_name'
import { toAnthropicError } from '#exceptions/anthropic_error'
import { toAnswer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'
import { EventStream } from '#http/event_stream'
import type { StreamTiming } from '#http/stream_timing'
import { COMPLETIONS, failedMessage, RESPONSES } from '#chat/dialects'
import { E_CHAT_OTHER_API, E_CHAT_UNKNOWN_MODEL } from '#chat/errors'
import { ofItsKind } from '#chat/failure_kinds'
import { ModelFailed } from '#chat/failures'
import type { Exchange } from '#chat/openai_chat'
import type { OpenAiBody } from '#chat/openai_request'
import type { Report } from '#chat/report'
import { ClientLeft, RunningCalls } from '#chat/running_calls'
import { WholeEvents } from '#chat/whole_events'
import {
  directPath,
  speaksAnthropic,
  speaksOpenAi,
  type DirectEndpoint,
} from '#llm/direct_endpoints'
import type { ApiType } from '#llm/contract'
import { mediaType } from '#llm_relay/media_type'
import type { LlmRelay, ProviderResponse } from '#llm_relay/relay'
import type { RelayTarget, RelayTargets } from '#llm_relay/relay_targets'

/** A client's call to one of its owner's models. */
export interface DirectCall {
  provider: string
  modelId: string
  endpoint: DirectEndpoint
  /** The client's request; only its model name changes. */
  request: OpenAiBody
  stream: boolean
}

/**
 * Calls users' own models directly, bypassing their agents: with the owner's key and counted like agent
 * calls, but otherwise unaltered in both directions. A sleeping agent stays asleep.
 */
export class DirectModels {
  readonly #calls = new RunningCalls()

  constructor(
    protected targets: Pick<RelayTargets, 'ofOwner'>,
    protected relay: Pick<LlmRelay, 'send'>,
    protected report: Report,
    protected timing: StreamTiming
  ) {}

  /**
   * Answers the call. Throws errors that precede the answer; later errors end the stream as an error event. A
   * client that left is not an error.
   *
   * @throws E_CHAT_UNKNOWN_MODEL, E_CHAT_OTHER_API, E_MOSAIC_STOPPING, and a provider's failure with the
   * status of its kind
   */
  async answer(call: DirectCall, exchange: Exchange): Promise<void> {
    this.#calls.admit()
    const left = new AbortController()
    const over = this.#calls.begin(exchange.response, (reason) => left.abort(reason))
    try {
      const target = await this.#target(call, exchange)
      const send = () =>
        this.relay.send(this.#outgoing(call, exchange, target, left.signal), target)
      await (call.stream
        ? this.#stream(call, send, exchange, left.signal)
        : this.#whole(call.provider, await this.#succeed(send), exchange, left.signal))
    } catch (error) {
      if (isOver(left.signal)) return
      throw ofItsKind(left.signal.aborted ? left.signal.reason : error)
    } finally {
      over()
    }
  }

  /** Refuses new calls, gives running ones this many milliseconds to end, then aborts the rest. */
  drain(ms: number): Promise<void> {
    return this.#calls.drain(ms)
  }

  async #target({ provider }: DirectCall, { agent }: Exchange): Promise<RelayTarget> {
    const target = await this.targets.ofOwner(ownerOf(agent)!, provider)
    if (!target?.provider.isActive) throw new E_CHAT_UNKNOWN_MODEL()
    return target
  }

  #outgoing(
    { provider, modelId, endpoint, request }: DirectCall,
    { request: { headers } }: Exchange,
    { adapter, apiType }: RelayTarget,
    signal: AbortSignal
  ) {
    const rest = directPath(adapter, apiType, endpoint)
    if (!rest) throw new E_CHAT_OTHER_API(provider, modelId, endpoint, chatEndpoint(apiType))
    const body = Buffer.from(JSON.stringify({ ...request, model: modelId }))
    const passed = {
      'accept': headers.accept,
      'openai-beta': headers['openai-beta'],
      'anthropic-version': headers['anthropic-version'],
      'anthropic-beta': headers['anthropic-beta'],
      'content-type': 'application/json',
      'content-length': String(body.length),
    }
    return { method: 'POST', rest, headers: passed, body: Readable.from([body]), signal }
  }

  async #succeed(send: () => Promise<ProviderResponse>): Promise<ProviderResponse> {
    const answer = await send()
    if (answer.failure) throw new ModelFailed(answer.failure)
    return answer
  }

  async #whole(
    provider: string,
    { status, headers, body }: ProviderResponse,
    { response, requestId }: Exchange,
    signal: AbortSignal
  ): Promise<void> {
    response.writeHead(status, { ...headers, ...(requestId && { 'x-request-id': requestId }) })
    if (typeof body === 'string') return void response.end(body)
    await pipeline(body, response, { signal }).catch(() => {
      /** It is too late for an error response: truncating the body is the only signal left. */
      if (!signal.aborted) this.report(brokeOff(provider))
      response.destroy()
    })
  }

  async #stream(
    { endpoint, provider }: DirectCall,
    send: () => Promise<ProviderResponse>,
    exchange: Exchange,
    signal: AbortSignal
  ): Promise<void> {
    const { response, requestId } = exchange
    const stream = new EventStream(response, { ...this.timing, requestId })
    try {
      const answer = await this.#succeed(send)
      const { body, headers } = answer
      if (typeof body === 'string' || !isEvents(headers)) {
        if (!stream.opened) {
          stream.release()
          return await this.#whole(provider, answer, exchange, signal)
        }
        if (typeof body !== 'string') body.destroy()
        const message = `${provider} sent a whole answer, although it was asked for a stream.`
        throw new ModelFailed({ provider, reason: 'bad_response', message })
      }
      await handOn(body, stream, signal).catch((error) => {
        throw signal.aborted ? error : brokeOff(provider)
      })
    } catch (error) {
      if (isOver(signal) || !stream.opened) throw error
      const told = ofItsKind(signal.aborted ? signal.reason : error)
      this.report(told)
      stream.end(failedEvents(endpoint, told))
    } finally {
      stream.release()
    }
  }
}

function brokeOff(provider: string): ModelFailed {
  const message = `${provider} broke off in the middle of its answer.`
  return new ModelFailed({ provider, reason: 'bad_response', message })
}

/** Returns where a service's own kind of chat is, if Mosaic offers it. */
function chatEndpoint(apiType: ApiType): DirectEndpoint | null {
  if (speaksOpenAi(apiType)) return '/chat/completions'
  return speaksAnthropic(apiType) ? '/messages' : null
}

/** Encodes the end of a stream that failed. */
function failedEvents(endpoint: DirectEndpoint, error: unknown): Buffer {
  const answer = toAnswer(error)
  if (endpoint === '/messages') return failedMessage(toAnthropicError(answer))
  const dialect = endpoint === '/responses' ? RESPONSES : COMPLETIONS
  return dialect.failed(toOpenAiError(answer))
}

/** Returns whether the client left, so that there is nobody to send the outcome to. */
const isOver = ({ aborted, reason }: AbortSignal) => aborted && reason instanceof ClientLeft

const isEvents = (headers: Record<string, string>) => mediaType(headers) === 'text/event-stream'

/** Forwards whole events only, so that no heartbeat splits one; waits for a slow client. */
async function handOn(body: Readable, stream: EventStream, signal: AbortSignal): Promise<void> {
  const whole = new WholeEvents()
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const events = whole.take(chunk)
    if (events && !stream.write(events)) await drained(stream, signal)
  }
  signal.throwIfAborted()
  stream.end(whole.rest())
}

function drained(stream: EventStream, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = () => reject(signal.reason as Error)
  signal.addEventListener('abort', leave, { once: true })
  stream.drained(resolve)
  return promise.finally(() => signal.removeEventListener('abort', leave))
}
