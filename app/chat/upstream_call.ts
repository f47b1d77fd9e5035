import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

/** Holds the gateway's answer back, and lets it go on. */
export interface Flow {
  pause(): void
  resume(): void
}

/** Takes a gateway's answer as it comes. What it throws ends the call. */
export interface AnswerReceiver {
  begin(status: number, headers: IncomingHttpHeaders, flow: Flow): void
  receive(chunk: Buffer): void
  /** The gateway has said all. Throws when that was less than it should have been. */
  end(): void
}

/** The client went away: nobody is left to tell anything. */
export class ClientLeft extends Error {}

/** The gateway took none of it: no connection, or a refusal that says "not me, not now". */
export class NotDelivered extends Error {}

/** A gateway that is stopping, or one of another agent at an address that changed hands. */
const NOT_ITS_TURN = new Set([401, 503])

/** One request to a gateway, without a stream object between its socket and the receiver. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #receiver: AnswerReceiver
  readonly #settle = Promise.withResolvers<void>()
  #controller: Dispatcher.DispatchController | null = null
  #aborted: Error | null = null
  #over = false

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver
  }

  /** Resolves when the receiver has everything; rejects with why it has not. */
  get done(): Promise<void> {
    return this.#settle.promise
  }

  get isOver(): boolean {
    return this.#over
  }

  /** Ends what is under way; what waits for a connection is not sent. */
  abort(reason: Error): void {
    this.#aborted = reason
    this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(this.#aborted)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders
  ): void {
    if (status < 200) return
    if (NOT_ITS_TURN.has(status)) throw new NotDelivered(`The gateway answered ${status}`)
    this.#receiver.begin(status, headers, controller)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receiver.receive(chunk)
  }

  onResponseEnd(): void {
    this.#over = true
    try {
      this.#receiver.end()
      this.#settle.resolve()
    } catch (error) {
      this.#settle.reject(error)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#over = true
    const sent = this.#controller !== null
    this.#settle.reject(
      this.#aborted ?? (sent ? error : new NotDelivered('No connection', { cause: error }))
    )
  }
}
