import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AgentKey, WakeProgress } from '#agents/types'
import { toAnswer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'
import { EventStream } from '#http/event_stream'
import { agentContent, isText, type FetchImage, type TakeBytes } from '#chat/agent_content'
import { COMPLETIONS, RESPONSES, type Dialect } from '#chat/dialects'
import type { DirectModels } from '#chat/direct_models'
import { E_AGENT_NO_EMBEDDINGS } from '#chat/errors'
import { ofItsKind } from '#chat/failure_kinds'
import { explained, type ModelFailures } from '#chat/failures'
import type { ModelCatalogue } from '#chat/model_catalogue'
import { OpenAiCompletion } from '#chat/openai_completion'
import { OpenAiStream } from '#chat/openai_stream'
import {
  chatBody,
  readChatRequest,
  readModelRequest,
  type ChatRequest,
  type ModelRequest,
} from '#chat/openai_request'
import type { ChatRelay, Turn } from '#chat/relay'
import type { Report } from '#chat/report'
import { withBody, type Bodies } from '#chat/request_body'
import { passingKey } from '#chat/session_key'
import { readResponseRequest, responseBody } from '#chat/responses_request'
import type { StreamTiming } from '#http/stream_timing'
import { ToolNames } from '#chat/tool_names'
import { newTurn } from '#chat/turn_messages'
import { ClientLeft } from '#chat/running_calls'

/** How long a non-streaming client waits for a wake before it is asked to retry, in milliseconds. */
const WAKE_TIMEOUT_MS = 120_000

/**
 * The stream opens late, so that an early failure keeps its own HTTP status, which clients use to wait and
 * retry. The heartbeat keeps the line alive: some clients give up after five seconds of silence.
 */
export const API_TIMING: StreamTiming = { openAfterMs: 3000, heartbeatMs: 4000 }

/** A caller's request, and the response to write. */
export interface Exchange {
  agent: AgentKey
  request: IncomingMessage
  response: ServerResponse
  requestId?: string
  /** Whether `user` names a conversation for this caller. Default: true. */
  byUser?: boolean
}

/** Settings of this API. Read on demand, because a read delays the request. */
export interface SurfaceSettings {
  /** Whether the agent answers to any name without a slash. */
  anyModelName(): Promise<boolean>
}

/** The message for the gateway, and how to return its answer. */
interface Prepared extends Pick<Turn, 'body' | 'model' | 'sessionKey' | 'path'> {
  dialect: Dialect
  stream: boolean
  toolNames: ToolNames | null
}

export interface OpenAiChatServices {
  relay: ChatRelay
  models: ModelCatalogue
  direct: Pick<DirectModels, 'answer'>
  failures: ModelFailures
  report: Report
  bodies: Bodies
  settings: SurfaceSettings
  fetchImage: FetchImage
  timing?: StreamTiming
}

/** OpenAI's API: lets any OpenAI client talk to the caller's own agent, or to one of the caller's models. */
export class OpenAiChat {
  readonly #services: OpenAiChatServices
  readonly #timing: StreamTiming

  constructor(services: OpenAiChatServices) {
    this.#services = services
    this.#timing = services.timing ?? API_TIMING
  }

  /**
   * `POST /v1/chat/completions`. Throws errors that precede the answer; later errors end the stream as an
   * error event. A client that left is not an error.
   */
  answer(exchange: Exchange): Promise<void> {
    return withBody(this.#services.bodies, exchange, async (bytes, take) => {
      const { request: req, byUser } = exchange
      const chat = readChatRequest(bytes, { headers: req.headers, byUser })
      const isAgent = chat.namedModel === null
      const model = isAgent ? null : await this.#agentModel(chat, '/chat/completions', exchange)
      if (model === undefined) return
      const toolNames = ToolNames.of(chat.request.tools)
      const isPlain = !toolNames && chat.sessionKey === null && chat.request.messages!.every(isText)
      const body = isPlain ? chat.body : await this.#chatBody(chat, toolNames, take)
      const sessionKey = chat.sessionKey ?? passingKey()
      const { stream } = chat
      await this.#ask(
        { body, model, sessionKey, dialect: COMPLETIONS, stream, toolNames },
        exchange,
        take
      )
    })
  }

  /** `POST /v1/responses`; otherwise like `answer`. */
  respond(exchange: Exchange): Promise<void> {
    return withBody(this.#services.bodies, exchange, async (bytes, take) => {
      const { request: req, byUser } = exchange
      const asked = readResponseRequest(bytes, { headers: req.headers, byUser })
      const reference = await this.#agentModel(asked, '/responses', exchange)
      if (reference === undefined) return
      const toolNames = ToolNames.of(asked.request.tools)
      const request = toolNames ? toolNames.renamed(asked.request) : asked.request
      const body = responseBody(request, asked.sessionKey !== null)
      /** A stored response can be continued by its id, through which the gateway finds the session. */
      const isPassing = asked.request.store === false && !asked.request.previous_response_id
      const sessionKey = asked.sessionKey ?? (isPassing ? passingKey() : null)
      const message = { body, model: reference, sessionKey, path: '/v1/responses' } as const
      const { stream } = asked
      await this.#ask({ ...message, dialect: RESPONSES, stream, toolNames }, exchange, take)
    })
  }

  /**
   * `POST /v1/embeddings`, served by one of the caller's providers, which validates the model.
   *
   * @throws E_AGENT_NO_EMBEDDINGS if the model is the agent
   */
  embed(exchange: Exchange): Promise<void> {
    return withBody(this.#services.bodies, exchange, async (bytes) => {
      const { namedModel, request } = readModelRequest(bytes)
      const slash = namedModel?.indexOf('/') ?? -1
      if (namedModel === null || slash < 1) throw new E_AGENT_NO_EMBEDDINGS()
      const [provider, modelId] = [namedModel.slice(0, slash), namedModel.slice(slash + 1)]
      const call = { provider, modelId, endpoint: '/embeddings', request, stream: false } as const
      await this.#services.direct.answer(call, exchange)
    })
  }

  /**
   * Returns the model for the agent, null for its own choice, or undefined if a model has answered directly.
   */
  async #agentModel(
    { namedModel, request, stream }: ModelRequest,
    endpoint: '/chat/completions' | '/responses',
    exchange: Exchange
  ): Promise<string | null | undefined> {
    if (namedModel === null) return null
    const { models, direct, settings } = this.#services
    const anyName = !namedModel.includes('/') && (await settings.anyModelName())
    const chosen = await models.choose(exchange.agent, namedModel, anyName)
    if (chosen.by === 'agent') return chosen.reference
    const { provider, modelId } = chosen
    await direct.answer({ provider, modelId, endpoint, request, stream }, exchange)
    return undefined
  }

  async #chatBody(
    chat: ChatRequest,
    toolNames: ToolNames | null,
    take: TakeBytes
  ): Promise<Buffer | string> {
    const sent = chat.request.messages!
    const messages = chat.sessionKey === null ? sent : newTurn(sent)
    const read = await agentContent(messages, this.#services.fetchImage, take)
    if (read === messages && !toolNames) return chat.body
    const request = { ...chat.request, messages: read }
    return chatBody(toolNames ? toolNames.renamed(request) : request, false)
  }

  #ask(prepared: Prepared, exchange: Exchange, take: TakeBytes): Promise<void> {
    if (prepared.stream) return this.#stream(prepared, exchange)
    return this.#complete(prepared, exchange, take)
  }

  async #stream(prepared: Prepared, exchange: Exchange): Promise<void> {
    const { dialect, toolNames } = prepared
    const { agent, response, requestId } = exchange
    const since = new Date()
    const stream = new EventStream(response, { ...this.#timing, requestId })
    const onProgress = ({ stage }: WakeProgress) => {
      if (stream.opened) stream.comment(`waking: ${stage}`)
    }
    try {
      const answer = new OpenAiStream(stream, { dialect, toolNames })
      await this.#services.relay.send(turnOf(prepared, exchange, { onProgress }), answer, response)
    } catch (error) {
      if (error instanceof ClientLeft) return
      const told = ofItsKind(await explained(error, this.#services.failures, agent, since))
      if (!stream.opened) throw told
      this.#services.report(told)
      stream.end(dialect.failed(toOpenAiError(toAnswer(told))))
    } finally {
      stream.release()
    }
  }

  async #complete(prepared: Prepared, exchange: Exchange, take: TakeBytes): Promise<void> {
    const { dialect, toolNames } = prepared
    const { agent, response, requestId } = exchange
    const since = new Date()
    const options = { requestId, toolNames, dialect, take }
    const answer = new OpenAiCompletion(response, options)
    try {
      const patient = turnOf(prepared, exchange, { wakeTimeoutMs: WAKE_TIMEOUT_MS })
      await this.#services.relay.send(patient, answer, response)
      await answer.delivered()
    } catch (error) {
      if (error instanceof ClientLeft) return
      if (!response.headersSent) {
        throw ofItsKind(await explained(error, this.#services.failures, agent, since))
      }
      this.#services.report(error)
      response.destroy()
    }
  }
}

/** Sets all fields at once: an object that gains fields later stays in memory, with its request, until a full GC. */
function turnOf(
  { body, model, sessionKey, path }: Prepared,
  { agent, request }: Exchange,
  { onProgress, wakeTimeoutMs }: Pick<Turn, 'onProgress' | 'wakeTimeoutMs'>
): Turn {
  const { headers } = request
  return { agent, headers, body, model, sessionKey, path, onProgress, wakeTimeoutMs }
}
