import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { HeldAnswer, mayBeRefusal } from '#chat/admission_refusal'
import { MOST_INTERIM } from '#runtimes/gateway_connections'

/** Pauses and resumes the gateway's answer. */
export interface Flow {
  pause(): void
  resume(): void
}

/** Receives a gateway's answer as it arrives. Anything it throws ends the call. */
export interface AnswerReceiver {
  begin(status: number, headers: IncomingHttpHeaders, flow: Flow): void
  receive(chunk: Buffer): void
  /** Called when the gateway is done. Throws if the answer is incomplete. */
  end(): void
}

/** Bytes of one answer processed per turn of the event loop: hundreds of events. */
const TURN_BYTES = 32 * 1024

/** The gateway did not admit the request: no connection, or a refusal. */
export class NotDelivered extends Error {}

/**
 * One request to a gateway, without a stream object between the socket and the receiver. Lets other work run between
 * the pieces of an answer that arrives faster than it is processed.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler, Flow {
  readonly #receiver: AnswerReceiver
  readonly #settle = Promise.withResolvers<void>()
  #controller: Dispatcher.DispatchController | null = null
  /** Bytes since the last rest. */
  #bytes = 0
  #isPaused = false
  #isResting = false
  #interim = 0
  /** A possible refusal, held until its body decides. */
  #held: HeldAnswer | null = null
  #aborted: Error | null = null
  #over = false

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver
  }

  /** Resolves when the receiver has everything; rejects with the reason if it has not. */
  get done(): Promise<void> {
    return this.#settle.promise
  }

  /** Aborts the request, unless it is over; one that still waits for a connection is not sent. */
  abort(reason: Error): void {
    if (this.#over) return
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
    if (status < 200) return this.#wait(controller)
    if (mayBeRefusal(status)) this.#held = new HeldAnswer(status, headers)
    else this.#receiver.begin(status, headers, this)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#held) this.#receiver.receive(chunk)
    else if (!this.#held.add(chunk)) this.#release()
    this.#bytes += chunk.length
    if (this.#bytes >= TURN_BYTES && !this.#isResting) this.#rest()
  }

  onResponseEnd(): void {
    this.#over = true
    try {
      if (this.#held?.isRefusal()) {
        throw new NotDelivered(`The gateway refused with ${this.#held.status}`)
      }
      this.#release()
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

  pause(): void {
    this.#isPaused = true
    this.#controller!.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#isResting) this.#controller!.resume()
  }

  #rest(): void {
    this.#bytes = 0
    this.#isResting = true
    this.#controller!.pause()
    setImmediate(() => {
      this.#isResting = false
      if (!this.#isPaused) this.#controller!.resume()
    })
  }

  #wait(controller: Dispatcher.DispatchController): void {
    if (++this.#interim > MOST_INTERIM) {
      controller.abort(new Error('The gateway does not come to its answer'))
    }
  }

  /** The held response is the agent's answer after all: passes it to the receiver. */
  #release(): void {
    const held = this.#held
    if (!held) return
    this.#held = null
    this.#receiver.begin(held.status, held.headers, this)
    for (const chunk of held.chunks) this.#receiver.receive(chunk)
  }
}
