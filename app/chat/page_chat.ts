import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createId } from '#models/row_id'
import type { AgentKey, GatewayAccess } from '#agents/types'
import { toAnswer } from '#exceptions/api_errors'
import { EventStream } from '#http/event_stream'
import type { WatchRuns } from '#openclaw/run_watch'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import type { RunEvent } from '#openclaw/run_events'
import type { JoinedRun, RunConnection } from '#openclaw/run_socket'
import type { Attachment } from '#chat/attachments'
import { explained, type ModelFailures } from '#chat/failures'
import { E_CHAT_NOT_RUNNING } from '#chat/errors'
import type { GatewayRuns } from '#chat/gateway_runs'
import type { LiveRun } from '#chat/live_run'
import { LiveRuns } from '#chat/live_runs'
import { PageStream } from '#chat/page_stream'
import { pageTurn } from '#chat/page_turn'
import { questionOf, shownFiles } from '#chat/read_messages'
import type { ChatRelay, Turn } from '#chat/relay'
import { sessionKeyOf } from '#chat/session_key'
import { SocketCall } from '#chat/socket_call'
import type { Report } from '#chat/report'
import { STREAM_TIMING, type StreamTiming } from '#http/stream_timing'
import { ClientLeft, RunStopped } from '#chat/running_calls'

/** A message from the page, and where its answer goes. */
export interface PageMessage {
  agent: AgentKey
  /** Null begins a conversation. */
  conversationId: string | null
  message: string
  /** Emptied once the message for the agent is made of them. */
  attachments?: Attachment[]
  /** Continues after the client leaves, for a page that comes back. */
  background?: boolean
  /** Called once a turn that the agent took is over, before the stream ends. */
  onTaken?: () => Promise<void>
  headers: IncomingHttpHeaders
  response: ServerResponse
  requestId?: string
}

/** A turn, and what is done beside it. */
interface CarriedTurn extends Omit<Turn, 'onCall'> {
  /** Observes the run if it goes by HTTP, until the returned function is called. */
  watch?: (access: GatewayAccess) => () => void
  onTaken?: () => Promise<void>
}

/** Where answers in progress are kept, and how their runs are observed. */
export interface PageChatParts {
  runs?: LiveRuns
  watch?: WatchRuns
  /** Absent: runs begin by HTTP alone, and only this process can return to them. */
  gatewayRuns?: GatewayRuns
}

/**
 * `POST /api/v1/chat`: an event stream of `progress` while the agent wakes, then `delta { text }`,
 * interleaved with `reasoning { text }`, `tool`, `approval` and `files` as the gateway reports them, and
 * finally `done { conversationId, usage?, model?, standIn? }`, `stopped { conversationId }` or `error { code,
 * message, hint?, conversationId }`.
 */
export class PageChat {
  readonly #runs: LiveRuns
  readonly #watch: WatchRuns
  readonly #gatewayRuns: GatewayRuns | null
  /** Cancellations under way, by session. */
  readonly #stops = new Map<string, Promise<void>>()

  constructor(
    protected relay: ChatRelay,
    protected failures: ModelFailures,
    protected report: Report,
    protected timing: StreamTiming = STREAM_TIMING,
    { runs = new LiveRuns(), watch = () => () => {}, gatewayRuns }: PageChatParts = {}
  ) {
    this.#runs = runs
    this.#watch = watch
    this.#gatewayRuns = gatewayRuns ?? null
  }

  /** Answers with the stream; any failure becomes an `error` event. A client that left is not an error. */
  async answer(input: PageMessage): Promise<void> {
    const { agent, headers, response, requestId, background = false } = input
    /** The page stopped the message or lost its connection while the files were read. It finds no answer, and says so. */
    if (response.destroyed) return
    const conversationId = input.conversationId ?? createId()
    const run = this.#runs.begin(agent, conversationId, { question: input.message, background })
    // The page looks for its question among the agent's messages from here on; the head goes out later.
    response.setHeader('date', new Date().toUTCString())
    run.begin(new EventStream(response, { ...this.timing, requestId }), response)
    const sessionKey = sessionKeyOf(conversationId)
    const turn = pageTurn(input.message, input.attachments ?? [])
    /** The turn holds them from here on: kept twice, a message would take twice its limit. */
    input.attachments?.splice(0)
    const sockets = turn.text !== undefined && background ? this.#gatewayRuns : null
    // A gateway cancels whatever runs in the session: a question sent meanwhile would get no answer.
    await this.#stops.get(`${agent} ${sessionKey}`)
    await this.#carry(run, { agent, conversationId }, (receive) => ({
      agent,
      sessionKey,
      model: null,
      headers,
      ...turn,
      onProgress: (progress: unknown) => run.event('progress', progress),
      ...(sockets && {
        call: (access, receiver) =>
          new SocketCall({
            open: () => sockets.open(access, sessionKey),
            start: (socket) => socket.start(turn.text!),
            onRun: receive,
            receiver,
          }),
      }),
      watch: (access) => this.#watch(access, sessionKey, receive),
      onTaken: input.onTaken,
    }))
  }

  /**
   * Reconnects a page to its answer in progress, whichever Mosaic process carried it so far: sends `question
   * { text, startedAt }`, the events so far, and the rest as they arrive. Resolves when the stream ends.
   *
   * @throws E_CHAT_NOT_RUNNING, E_TOO_MANY_ANSWERS, E_GATEWAY_FAILED if the agent cannot be asked right now
   */
  async follow(
    agent: AgentKey,
    conversationId: string,
    { response, requestId }: Pick<PageMessage, 'response' | 'requestId'>
  ): Promise<void> {
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    const run =
      this.#runs.find(agent, conversationId) ?? (await this.#joined(agent, conversationId))
    if (!run) throw new E_CHAT_NOT_RUNNING()
    if (response.destroyed) return
    run.follow(new EventStream(response, { ...this.timing, requestId }), response)
    await closed
  }

  /**
   * Cancels the answer in progress, also one of another Mosaic process; a no-op if there is none. Resolves once it
   * has ended.
   *
   * @throws E_GATEWAY_FAILED
   */
  async stop(agent: AgentKey, conversationId: string): Promise<void> {
    const session = `${agent} ${sessionKeyOf(conversationId)}`
    const stopping = this.#stop(agent, conversationId)
    const over = stopping
      .catch(() => {})
      .finally(() => {
        if (this.#stops.get(session) === over) this.#stops.delete(session)
      })
    this.#stops.set(session, over)
    await stopping
  }

  async #stop(agent: AgentKey, conversationId: string): Promise<void> {
    if (await this.#runs.stop(agent, conversationId)) return
    const reached = await this.#gatewayRuns?.reach(agent, sessionKeyOf(conversationId))
    try {
      await reached?.socket.stop()
    } finally {
      reached?.socket.close()
    }
  }

  /** Takes over an answer that the gateway has under way. Returns null if there is none. */
  async #joined(agent: AgentKey, conversationId: string): Promise<LiveRun | null> {
    const sockets = this.#gatewayRuns
    if (!sockets) return null
    const sessionKey = sessionKeyOf(conversationId)
    return sockets.once(agent, sessionKey, async () => {
      const reached = await sockets.reach(agent, sessionKey)
      if (!reached) return null
      const { access: joins, socket } = reached
      const found = await sockets.underWay(socket).catch((error) => {
        socket.close()
        throw error
      })
      if (!found) return (socket.close(), null)
      const run = this.#taken(agent, conversationId, socket, found)
      if (!run) return this.#runs.find(agent, conversationId)
      const { reasoning, tools = [] } = found.work
      if (reasoning) run.event('reasoning', { text: reasoning })
      for (const tool of tools) run.event('tool', { ...tool, phase: 'end' })
      if (found.text) run.event('delta', { text: found.text })
      let isCarried = false
      const carried = this.#carry(run, { agent, conversationId }, (onRun) => ({
        ...{ agent, sessionKey, model: null, headers: {}, body: '', joins },
        call: (access, receiver) => {
          isCarried = true
          return new SocketCall({
            joined: socket,
            open: () => sockets.open(access, sessionKey),
            start: async () => {},
            onRun,
            receiver,
          })
        },
      }))
      void carried.finally(() => isCarried || socket.close())
      return run
    })
  }

  /**
   * Begins to carry a run that is under way. Returns null if a question in its conversation was sent here meanwhile.
   *
   * @throws E_TOO_MANY_ANSWERS
   */
  #taken(
    agent: AgentKey,
    conversationId: string,
    socket: RunConnection,
    { question, questionBefore, startedAt }: JoinedRun
  ): LiveRun | null {
    try {
      if (this.#runs.find(agent, conversationId)) return (socket.close(), null)
      const text = questionOf(question, questionBefore)
      return this.#runs.join(agent, conversationId, { question: text, startedAt })
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** Carries a turn through the relay, and its events to the run. Any failure becomes an `error` event. */
  async #carry(
    run: LiveRun,
    { agent, conversationId }: { agent: AgentKey; conversationId: string },
    turnOf: (receive: (event: RunEvent) => void) => CarriedTurn
  ): Promise<void> {
    const since = new Date()
    const answer = new PageStream(run, conversationId)
    let endWatch = () => {}
    const { watch, onTaken, ...turn } = turnOf((event) => {
      if (event.kind === 'model') answer.answeredBy(event.model, event.insteadOf)
      else run.event(...pageEventOf(conversationId, event))
    })
    const onCall = (access: GatewayAccess) => {
      endWatch()
      if (watch) endWatch = watch(access)
    }
    try {
      await this.relay.send({ ...turn, onCall }, answer, run)
    } catch (failure) {
      const error = await explained(failure, this.failures, agent, since)
      if (error instanceof ClientLeft) {
        /** Otherwise the run goes on without Mosaic, and its readers find it again. */
        if (run.destroyed || error instanceof RunStopped) run.event('stopped', { conversationId })
        return
      }
      this.report(error)
      if (run.destroyed && failure instanceof E_GATEWAY_FAILED) run.notStopped = failure
      const { code, message, hint } = toAnswer(error).errors[0]
      run.event('error', { code, message, hint, conversationId })
    } finally {
      endWatch()
      if (answer.hasBegun) await onTaken?.().catch(this.report)
      this.#runs.end(agent, run)
    }
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
