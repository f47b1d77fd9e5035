import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createId } from '@paralleldrive/cuid2'
import type { AgentKey, GatewayAccess } from '#agents/types'
import { toAnswer } from '#exceptions/api_errors'
import { EventStream } from '#http/event_stream'
import type { WatchRuns } from '#openclaw/run_watch'
import type { RunEvent } from '#openclaw/run_events'
import type { Attachment } from '#chat/attachments'
import type { ModelFailures } from '#chat/failures'
import { LiveRuns } from '#chat/live_runs'
import { PageStream } from '#chat/page_stream'
import { pageTurn } from '#chat/page_turn'
import { shownFiles } from '#chat/read_messages'
import type { ChatRelay } from '#chat/relay'
import { sessionKeyOf } from '#chat/session_key'
import type { Report } from '#chat/report'
import { STREAM_TIMING, type StreamTiming } from '#http/stream_timing'
import { ClientLeft } from '#chat/running_calls'

/** A message from the page, and where its answer goes. */
export interface PageMessage {
  agent: AgentKey
  /** Null begins a conversation. */
  conversationId: string | null
  message: string
  attachments?: Attachment[]
  /** Continues after the client leaves, for a page that comes back. */
  background?: boolean
  headers: IncomingHttpHeaders
  response: ServerResponse
  requestId?: string
}

/** Where answers in progress are kept, and how their runs are observed. */
export interface PageChatParts {
  runs?: LiveRuns
  watch?: WatchRuns
}

/**
 * `POST /api/v1/chat`: an event stream of `progress` while the agent wakes, then `delta { text }`,
 * interleaved with `reasoning { text }`, `tool`, `approval` and `files` as the gateway reports them, and
 * finally `done { conversationId, usage?, model?, standIn? }` or `error { code, message, hint?,
 * conversationId }`.
 */
export class PageChat {
  readonly #runs: LiveRuns
  readonly #watch: WatchRuns

  constructor(
    protected relay: ChatRelay,
    protected failures: ModelFailures,
    protected report: Report,
    protected timing: StreamTiming = STREAM_TIMING,
    { runs = new LiveRuns(), watch = () => () => {} }: PageChatParts = {}
  ) {
    this.#runs = runs
    this.#watch = watch
  }

  /** Answers with the stream; any failure becomes an `error` event. A client that left is not an error. */
  async answer(input: PageMessage): Promise<void> {
    const { agent, headers, response, requestId, background = false } = input
    const conversationId = input.conversationId ?? createId()
    const run = this.#runs.begin(agent, conversationId, { question: input.message, background })
    run.begin(new EventStream(response, { ...this.timing, requestId }), response)
    const since = new Date()
    const answer = new PageStream(run, conversationId, () => this.failures.last(agent, since))
    const sessionKey = sessionKeyOf(conversationId)
    let endWatch = () => {}
    const turn = {
      agent,
      sessionKey,
      model: null,
      headers,
      ...pageTurn(input.message, input.attachments ?? []),
      onProgress: (progress: unknown) => run.event('progress', progress),
      onCall: (access: GatewayAccess) => {
        endWatch()
        endWatch = this.#watch(access, sessionKey, (event) => {
          if (event.kind === 'model') answer.answeredBy(event.model)
          else run.event(...pageEventOf(conversationId, event))
        })
      },
    }
    try {
      await this.relay.send(turn, answer, run)
    } catch (error) {
      if (error instanceof ClientLeft) return
      this.report(error)
      const { code, message, hint } = toAnswer(error).errors[0]
      run.event('error', { code, message, hint, conversationId })
    } finally {
      endWatch()
      this.#runs.end(agent, conversationId, run)
    }
  }

  /**
   * Reconnects a page to its answer in progress: sends `question { text, startedAt }`, the events so far, and
   * the rest as they arrive. Resolves when the stream ends.
   *
   * @throws E_CHAT_NOT_RUNNING
   */
  async follow(
    agent: AgentKey,
    conversationId: string,
    { response, requestId }: Pick<PageMessage, 'response' | 'requestId'>
  ): Promise<void> {
    const run = this.#runs.find(agent, conversationId)
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    run.follow(new EventStream(response, { ...this.timing, requestId }), response)
    await closed
  }

  /** Cancels the answer in progress; a no-op if there is none. */
  stop(agent: AgentKey, conversationId: string): void {
    this.#runs.stop(agent, conversationId)
  }
}

/** Returns the page's event for a gateway's run event: name and data. */
function pageEventOf(
  conversationId: string,
  event: Exclude<RunEvent, { kind: 'model' }>
): [string, unknown] {
  if (event.kind === 'media') return ['files', { files: shownFiles(conversationId, event.paths) }]
  const { kind, ...data } = event
  return [kind, data]
}
