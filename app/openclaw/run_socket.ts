import { randomUUID } from 'node:crypto'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { openGateway, type GatewayConnection, type GatewayEvent } from '#openclaw/gateway_socket'
import { storedKey } from '#openclaw/gateway_shapes'
import { listIn, objectIn, textIn, timeIn } from '#openclaw/gateway_fields'
import { storedMessage, toMessages, type GatewayMessage } from '#openclaw/gateway_messages'
import { RunAnswer, type AnswerEvent } from '#openclaw/run_answer'
import { RunEvents, type Approval, type RunEvent } from '#openclaw/run_events'
import { subscribeToSession } from '#openclaw/session_subscription'

/** Per step: to connect, to be admitted, to get a response. */
const TIMEOUT_MS = 10_000

/** Rows read to find the question of a run and what it has done so far: a tool takes two. */
const ROWS = 60
/** Rows read if the question is not among those; OpenClaw gives no more. */
const MOST_ROWS = 1000

/**
 * Limits of events that wait for a reader: those between joining a run and following it. An agent that sends more
 * has its connection closed.
 */
const MOST_WAITING = 10_000
const MOST_WAITING_CHARACTERS = 16 * 1024 * 1024

/** Receives what happens in a run. */
export interface RunReader {
  onRun(event: RunEvent): void
  onAnswer(event: AnswerEvent): void
  /** The gateway closed the connection: what becomes of the run is unknown. */
  onClose(): void
}

/** A run that was found under way. */
export interface JoinedRun {
  /** As stored, and the question before it. */
  question: string
  questionBefore?: string
  startedAt: Date
  /** Its reasoning and tools so far. */
  work: Pick<GatewayMessage, 'reasoning' | 'tools'>
  /** Text of its answer so far. */
  text: string
}

/** What callers use of a `RunSocket`. */
export type RunConnection = Pick<RunSocket, 'start' | 'join' | 'read' | 'stop' | 'close'>

/** Opens a socket for one session's runs. */
export type OpenRuns = (
  access: { url: string; token: string },
  key: string
) => Promise<RunConnection>

/**
 * One session of a gateway by its WebSocket: starts a run, or joins the one under way. The run belongs to the
 * gateway: closing the socket does not end it.
 */
export class RunSocket {
  readonly #key: string
  #connection!: GatewayConnection
  #events: RunEvents
  #answer: RunAnswer | null = null
  #reader: RunReader | null = null
  #waiting: GatewayEvent[] = []
  #waitingCharacters = 0
  #approvals: Approval[] = []
  #runId: string | null = null
  #closed = false

  private constructor(key: string) {
    this.#key = storedKey(key)
    this.#events = new RunEvents(this.#key)
  }

  /** @throws E_GATEWAY_FAILED, or the gateway's refusal */
  static async open(access: { url: string; token: string }, key: string): Promise<RunSocket> {
    const socket = new RunSocket(key)
    socket.#connection = await openGateway(
      { ...access, timeoutMs: TIMEOUT_MS },
      { onEvent: (event) => socket.#take(event), onClose: () => socket.#ended() }
    )
    try {
      socket.#approvals = await subscribeToSession(socket.#connection, socket.#key)
      if (socket.#closed) throw new E_GATEWAY_FAILED()
    } catch (error) {
      socket.close()
      throw error
    }
    return socket
  }

  /**
   * Starts a run. Resolves once the gateway has admitted it.
   *
   * @throws the gateway's refusal, with its `gatewayCode`; any other error leaves open whether it runs
   */
  async start(message: string): Promise<void> {
    const runId = randomUUID()
    this.#follow(runId)
    await this.#connection.request('agent', {
      message,
      sessionKey: this.#key,
      channel: 'webchat',
      deliver: false,
      idempotencyKey: runId,
    })
  }

  /** Finds the run under way. Returns null if there is none. */
  async join(): Promise<JoinedRun | null> {
    let { history, told } = await this.#history(ROWS)
    const isActive = objectIn(history.sessionInfo).hasActiveRun === true
    if (!history.inFlightRun && !isActive) return null
    if (listIn(history.messages).length >= ROWS && told.every(({ role }) => role !== 'user')) {
      ;({ history, told } = await this.#history(MOST_ROWS))
    }
    const run = objectIn(history.inFlightRun)
    const text = textIn(run.text) ?? ''
    const asked = told.findLastIndex(({ role }) => role === 'user')
    const before = told.slice(0, Math.max(asked, 0)).findLast(({ role }) => role === 'user')
    const { reasoning, tools } = told[asked + 1] ?? {}
    this.#follow(textIn(run.runId) ?? null, text)
    return {
      question: told[asked]?.text ?? '',
      ...(before && { questionBefore: before.text }),
      startedAt: new Date(timeIn(run.startedAt) ?? Date.now()),
      work: { ...(reasoning && { reasoning }), ...(tools && { tools }) },
      text,
    }
  }

  async #history(limit: number) {
    const history = objectIn(
      await this.#connection.request('chat.history', { sessionKey: this.#key, limit })
    )
    return { history, told: toMessages(listIn(history.messages).slice(-limit).map(storedMessage)) }
  }

  /** Hands over what has happened since `start` or `join`, and then everything as it happens. */
  read(reader: RunReader): void {
    this.#reader = reader
    for (const approval of this.#approvals) reader.onRun(approval)
    const waiting = this.#waiting
    this.#waiting = []
    for (const event of waiting) this.#hand(event, reader)
    if (this.#closed) reader.onClose()
  }

  /** Cancels the run. */
  async stop(): Promise<void> {
    const params = { key: this.#key, ...(this.#runId && { runId: this.#runId }) }
    await this.#connection.request('sessions.abort', params)
  }

  /** Closes the connection; the run continues. */
  close(): void {
    this.#reader = null
    this.#connection.close()
  }

  #follow(runId: string | null, shown = ''): void {
    this.#runId = runId
    this.#answer = new RunAnswer(this.#key, runId, shown)
  }

  #take(event: GatewayEvent): void {
    if (this.#reader) return this.#hand(event, this.#reader)
    if (this.#closed || objectIn(event.payload).sessionKey !== this.#key) return
    this.#waitingCharacters += JSON.stringify(event).length
    this.#waiting.push(event)
    const isTooMuch =
      this.#waiting.length > MOST_WAITING || this.#waitingCharacters > MOST_WAITING_CHARACTERS
    if (!isTooMuch) return
    this.#waiting = []
    this.#closed = true
    this.#connection?.close()
  }

  #hand(event: GatewayEvent, reader: RunReader): void {
    const told = this.#events.read(event)
    if (told) reader.onRun(told)
    for (const answer of this.#answer?.read(event) ?? []) reader.onAnswer(answer)
  }

  #ended(): void {
    this.#closed = true
    this.#reader?.onClose()
  }
}
