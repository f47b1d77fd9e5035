import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Flow } from '#chat/upstream_call'
import { clientHeaders } from '#chat/headers'
import { GatewayResponse } from '#chat/gateway_response'
import type { Recorded } from '#chat/failures'

/** Hands an answer that is one JSON object on as it comes. */
export class OpenAiCompletion extends GatewayResponse {
  readonly #response: ServerResponse
  readonly #requestId: string | undefined
  #flow: Flow | null = null

  constructor(response: ServerResponse, requestId: string | undefined, recorded: Recorded) {
    super(recorded)
    this.#response = response
    this.#requestId = requestId
  }

  protected started(headers: IncomingHttpHeaders, flow: Flow): void {
    this.#flow = flow
    const passed = clientHeaders(headers)
    if (this.#requestId) passed['x-request-id'] = this.#requestId
    this.#response.writeHead(200, passed)
  }

  protected chunk(bytes: Buffer): void {
    if (this.#response.write(bytes)) return
    this.#flow!.pause()
    this.#response.once('drain', () => this.#flow!.resume())
  }

  protected finished(): void {
    this.#response.end()
  }
}
