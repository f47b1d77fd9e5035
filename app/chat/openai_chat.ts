import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AgentKey } from '#agents/types'
import { toAnswer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'
import { EventStream } from '#http/event_stream'
import type { ModelFailures } from '#chat/failures'
import type { ModelCatalogue } from '#chat/model_catalogue'
import { OpenAiCompletion } from '#chat/openai_completion'
import { OpenAiStream } from '#chat/openai_stream'
import { readBody, readChatRequest, type ChatRequest } from '#chat/openai_request'
import type { ChatRelay, Turn } from '#chat/relay'
import type { Report } from '#chat/report'
import { STREAM_TIMING, type StreamTiming } from '#http/stream_timing'
import type { UserLimits } from '#identity/user_limits'
import { ClientLeft } from '#chat/upstream_call'

/** A gateway takes 20 MB; a body of 5 MB already keeps it busy for ten seconds. */
const BODY_LIMIT = 10 * 1024 * 1024

/** What a client without a stream waits for a wake before it is asked to come back: milliseconds. */
const WAKE_TIMEOUT_MS = 120_000

/** Says what the body of a caller's request may take. */
export type Bodies = Pick<UserLimits, 'body'>

/** A caller's request and where its answer goes. */
export interface Exchange {
  agent: AgentKey
  request: IncomingMessage
  response: ServerResponse
  requestId?: string
}

/** `POST /v1/chat/completions`: any OpenAI client, talking to the caller's own agent. */
export class OpenAiChat {
  constructor(
    protected relay: ChatRelay,
    protected models: ModelCatalogue,
    protected failures: ModelFailures,
    protected report: Report,
    protected bodies: Bodies,
    protected timing: StreamTiming = STREAM_TIMING
  ) {}

  /**
   * Answers the request. What goes wrong before the answer has begun is thrown; later it is an error in
   * the stream. A client that left is no error.
   */
  async answer(exchange: Exchange): Promise<void> {
    const { hold, deadlineMs } = await this.bodies.body(exchange.agent)
    try {
      const { take } = hold
      const { request } = exchange
      const body = await readBody(request, { limit: BODY_LIMIT, take, deadlineMs })
      await this.#answer(readChatRequest(body), exchange)
    } finally {
      hold.release()
    }
  }

  async #answer(chat: ChatRequest, exchange: Exchange): Promise<void> {
    const { agent, request } = exchange
    const model = chat.namedModel && (await this.models.reference(agent, chat.namedModel))
    const { sessionKey, body } = chat
    const turn: Turn = { agent, sessionKey, model, headers: request.headers, body }
    await (chat.stream ? this.#stream(turn, exchange) : this.#complete(turn, exchange))
  }

  async #stream(turn: Turn, { response, requestId }: Exchange): Promise<void> {
    const stream = new EventStream(response, { ...this.timing, requestId })
    turn.onProgress = ({ stage }) => stream.opened && stream.comment(`waking: ${stage}`)
    try {
      await this.relay.send(turn, new OpenAiStream(stream, this.#recorded(turn.agent)), response)
    } catch (error) {
      if (error instanceof ClientLeft) return
      if (!stream.opened) throw error
      this.report(error)
      const told = toOpenAiError(toAnswer(error))
      stream.end(Buffer.from(`data: ${JSON.stringify(told)}\n\ndata: [DONE]\n\n`))
    } finally {
      stream.release()
    }
  }

  async #complete(turn: Turn, { response, requestId }: Exchange): Promise<void> {
    turn.wakeTimeoutMs = WAKE_TIMEOUT_MS
    const answer = new OpenAiCompletion(response, requestId, this.#recorded(turn.agent))
    try {
      await this.relay.send(turn, answer, response)
    } catch (error) {
      if (error instanceof ClientLeft) return
      if (!response.headersSent) throw error
      this.report(error)
      response.destroy()
    }
  }

  #recorded(agent: AgentKey) {
    const since = new Date()
    return () => this.failures.last(agent, since)
  }
}
