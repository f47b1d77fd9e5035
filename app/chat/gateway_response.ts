import type { IncomingHttpHeaders } from 'node:http'
import type { AnswerReceiver, Flow } from '#chat/upstream_call'
import { refusal, type Recorded } from '#chat/failures'

/** An error is short; what is longer than this is cut. */
const MAX_ERROR_BYTES = 64 * 1024

/** An answer with status 200 goes to `started`, `chunk` and `finished`; any other becomes an error. */
export abstract class GatewayResponse implements AnswerReceiver {
  readonly #recorded: Recorded
  #refused: { status: number; headers: IncomingHttpHeaders; body: Buffer[]; size: number } | null =
    null

  /** @param recorded what the LLM relay saw go wrong since this turn began */
  constructor(recorded: Recorded) {
    this.#recorded = recorded
  }

  protected abstract started(headers: IncomingHttpHeaders, flow: Flow): void
  protected abstract chunk(bytes: Buffer): void
  protected abstract finished(): void

  protected get recorded() {
    return this.#recorded()
  }

  begin(status: number, headers: IncomingHttpHeaders, flow: Flow): void {
    if (status === 200) this.started(headers, flow)
    else this.#refused = { status, headers, body: [], size: 0 }
  }

  receive(bytes: Buffer): void {
    if (!this.#refused) return this.chunk(bytes)
    if (this.#refused.size < MAX_ERROR_BYTES) this.#refused.body.push(bytes)
    this.#refused.size += bytes.length
  }

  end(): void {
    if (!this.#refused) return this.finished()
    const { status, headers, body } = this.#refused
    throw refusal(status, headers, Buffer.concat(body).toString(), this.#recorded)
  }
}
