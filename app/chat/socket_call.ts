import { E_AGENT_GONE, E_AGENT_SILENT } from '#chat/errors'
import { ClientLeft, RunStopped } from '#chat/running_calls'
import { NotDelivered, type AnswerReceiver, type Flow } from '#chat/upstream_call'
import type { GatewayCall } from '#chat/relay'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import type { AnswerEvent } from '#openclaw/run_answer'
import type { Approval, RunEvent } from '#openclaw/run_events'
import type { RunConnection } from '#openclaw/run_socket'

/** Milliseconds a run may stay silent. */
export interface Silence {
  usual: number
  /** While the agent waits for its owner's approval, which OpenClaw gives up after half an hour. */
  approval: number
}

/** As over HTTP, and an hour. */
const SILENCE: Silence = { usual: 10 * 60_000, approval: 60 * 60_000 }

/** Approvals that a run may wait for; no run asks for as many. */
const MOST_PENDING = 100

/** A socket cannot be paused: the length of an answer is the model's own limit. */
const FLOW: Flow = { pause() {}, resume() {} }

/** How a call by socket begins, and where its events go. */
export interface SocketCallInput {
  /** The connection of a run that is joined; otherwise one is opened. */
  joined?: RunConnection
  open: () => Promise<RunConnection>
  /** Starts the run; a no-op for one already joined. */
  start: (socket: RunConnection) => Promise<void>
  onRun: (event: RunEvent) => void
  receiver: AnswerReceiver
  silence?: Silence
}

/**
 * One run by a gateway's WebSocket, delivered as its HTTP endpoint would. In contrast to that, the gateway
 * continues the run when Mosaic leaves: a page finds it again after a restart and in another replica.
 */
export class SocketCall implements GatewayCall {
  readonly #settle = Promise.withResolvers<void>()
  readonly #input: SocketCallInput
  readonly #usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  #socket: RunConnection | null = null
  readonly #pending = new Set<string>()
  #silence: NodeJS.Timeout | undefined
  isOver = false

  constructor(input: SocketCallInput) {
    this.#input = input
    void this.#run()
  }

  get done(): Promise<void> {
    return this.#settle.promise
  }

  /** Cancels the run of a client that left. For any other reason only Mosaic leaves, and the run continues. */
  abort(reason: Error): void {
    if (this.isOver) return
    const socket = this.#socket
    if (!(reason instanceof ClientLeft) || !socket) return this.#end(new ClientLeft())
    void this.#cancel(socket, reason)
  }

  /**
   * Settles once the gateway has ended the run: until then it would end the session's next one instead. If it does not,
   * the owner must learn that the run goes on.
   */
  async #cancel(socket: RunConnection, reason: Error): Promise<void> {
    this.isOver = true
    clearTimeout(this.#silence)
    const failure = await socket.stop().then(
      () => null,
      (cause: unknown) => new E_GATEWAY_FAILED(undefined, { cause })
    )
    socket.close()
    this.#settle.reject(reason instanceof ClientLeft ? (failure ?? reason) : reason)
  }

  async #run(): Promise<void> {
    const { joined, open, start, receiver } = this.#input
    try {
      this.#socket = joined ?? (await open())
    } catch (error) {
      return this.#end(new NotDelivered('No socket', { cause: error }))
    }
    if (this.isOver) return this.#socket.close()
    try {
      await start(this.#socket)
    } catch (error) {
      const isRefused = (error as { gatewayCode?: string }).gatewayCode !== undefined
      if (isRefused) return this.#end(new NotDelivered('Refused', { cause: error }))
      return this.#end(new E_AGENT_GONE(undefined, { cause: error }))
    }
    if (this.isOver) return
    this.#guard(() => receiver.begin(200, {}, FLOW))
    this.#heard()
    this.#socket.read({
      onRun: (event) => (this.#heard(event), this.#guard(() => this.#input.onRun(event))),
      onAnswer: (event) => (this.#heard(), this.#guard(() => this.#answer(event))),
      onClose: () => void this.#lost(),
    })
  }

  /** The run goes on if the gateway is still there: its page then finds it again, as after a restart. */
  async #lost(): Promise<void> {
    if (this.isOver) return
    const isThere = await this.#input.open().then(
      (socket) => (socket.close(), true),
      () => false
    )
    this.#end(isThere ? new ClientLeft() : new E_AGENT_GONE())
  }

  #answer(event: AnswerEvent): void {
    if (this.isOver) return
    if (event.kind === 'text') return this.#say({ choices: [{ delta: { content: event.text } }] })
    if (event.kind === 'usage') {
      this.#usage.prompt_tokens += event.inputTokens
      this.#usage.completion_tokens += event.outputTokens
      this.#usage.total_tokens += event.inputTokens + event.outputTokens
      return
    }
    if (event.outcome === 'stopped') return this.#end(new RunStopped())
    if (event.outcome === 'failed') return this.#say({ error: { message: 'internal error' } })
    if (this.#usage.total_tokens > 0) this.#say({ choices: [], usage: this.#usage })
    this.#input.receiver.receive(Buffer.from('data: [DONE]\n\n'))
    this.#input.receiver.end()
    this.#end(null)
  }

  #say(chunk: object): void {
    this.#input.receiver.receive(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`))
  }

  /** Whatever the receiver throws ends the call. */
  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#end(error as Error)
    }
  }

  #heard(event?: RunEvent): void {
    if (this.isOver) return
    if (event?.kind === 'approval') this.#waitFor(event)
    const { usual, approval } = this.#input.silence ?? SILENCE
    const ms = this.#pending.size > 0 ? approval : usual
    this.#silence ??= setTimeout(() => this.#silent(), ms).unref()
    this.#silence.refresh()
  }

  #waitFor({ id, state }: Approval): void {
    if (state !== 'pending') this.#pending.delete(id)
    else if (this.#pending.size < MOST_PENDING) this.#pending.add(id)
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  /** A run that went on unseen would do twice what its owner asks for again. */
  #silent(): void {
    if (!this.isOver) void this.#cancel(this.#socket!, new E_AGENT_SILENT())
  }

  #end(error: Error | null): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.#silence)
    this.#socket?.close()
    if (error) this.#settle.reject(error)
    else this.#settle.resolve()
  }
}
