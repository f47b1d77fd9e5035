import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createId } from '@paralleldrive/cuid2'
import type { AgentKey } from '#agents/types'
import { toAnswer } from '#exceptions/api_errors'
import { EventStream } from '#http/event_stream'
import type { ModelFailures } from '#chat/failures'
import { AGENT_MODEL } from '#chat/openai_request'
import { PageStream } from '#chat/page_stream'
import type { ChatRelay } from '#chat/relay'
import { sessionKeyOf } from '#chat/session_key'
import type { Report } from '#chat/report'
import { STREAM_TIMING, type StreamTiming } from '#http/stream_timing'
import { ClientLeft } from '#chat/upstream_call'

/** A message of the page, and where its answer goes. */
export interface PageMessage {
  agent: AgentKey
  /** Null begins a conversation. */
  conversationId: string | null
  message: string
  headers: IncomingHttpHeaders
  response: ServerResponse
  requestId?: string
}

/**
 * `POST /api/v1/chat`: an event stream of `progress` while the agent wakes, then `delta { text }`, and at
 * the end `done { conversationId, usage? }` or `error { code, message, hint?, conversationId }`.
 */
export class PageChat {
  constructor(
    protected relay: ChatRelay,
    protected failures: ModelFailures,
    protected report: Report,
    protected timing: StreamTiming = STREAM_TIMING
  ) {}

  /** Answers with the stream; whatever goes wrong is an `error` event. A client that left is no error. */
  async answer(input: PageMessage): Promise<void> {
    const { agent, headers, response, requestId } = input
    const conversationId = input.conversationId ?? createId()
    const stream = new EventStream(response, { ...this.timing, requestId })
    const since = new Date()
    const answer = new PageStream(stream, conversationId, () => this.failures.last(agent, since))
    const turn = {
      agent,
      sessionKey: sessionKeyOf(conversationId),
      model: null,
      headers,
      body: chatBody(input.message),
      onProgress: (progress: unknown) => stream.event('progress', progress),
    }
    try {
      await this.relay.send(turn, answer, response)
    } catch (error) {
      if (error instanceof ClientLeft) return
      this.report(error)
      const { code, message, hint } = toAnswer(error).errors[0]
      stream.event('error', { code, message, hint, conversationId })
      stream.end()
    } finally {
      stream.release()
    }
  }
}

function chatBody(message: string): string {
  return JSON.stringify({
    model: AGENT_MODEL,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: message }],
  })
}
