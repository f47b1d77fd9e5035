import type { IncomingHttpHeaders } from 'node:http'
import type { AnswerReceiver, Flow } from '#chat/upstream_call'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { refusal, RunFailed } from '#chat/failures'

/** Limit of an error body in bytes: errors are short, so a longer one is cut and the call ended. */
const MAX_ERROR_BYTES = 64 * 1024

/** Routes a 200 response to `started`, `chunk` and `finished`, and turns any other into an error. */
export abstract class GatewayResponse implements AnswerReceiver {
  #refused: { status: number; headers: IncomingHttpHeaders; body: GrowingBuffer } | null = null

  protected abstract started(headers: IncomingHttpHeaders, flow: Flow): void
  protected abstract chunk(bytes: Buffer): void
  protected abstract finished(): void

  begin(status: number, headers: IncomingHttpHeaders, flow: Flow): void {
    if (status === 200) this.started(headers, flow)
    else this.#refused = { status, headers, body: new GrowingBuffer() }
  }

  receive(bytes: Buffer): void {
    if (!this.#refused) return this.chunk(bytes)
    const { body } = this.#refused
    body.add(bytes.subarray(0, MAX_ERROR_BYTES - body.size))
    if (body.size >= MAX_ERROR_BYTES) this.end()
  }

  end(): void {
    if (!this.#refused) return this.finished()
    const { status, headers, body } = this.#refused
    const said = body.take().toString()
    throw new RunFailed((recorded) => refusal(status, headers, said, recorded))
  }
}
