import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { E_AGENT_FAILED } from '#chat/errors'
import type { Flow } from '#chat/upstream_call'
import { clientHeaders } from '#chat/headers'
import { GatewayResponse } from '#chat/gateway_response'
import type { Recorded } from '#chat/failures'
import type { ToolNames } from '#chat/tool_names'
import { GrowingBuffer } from '#bounded/growing_buffer'

/** Limit of a buffered answer in bytes: no model writes more at once. */
const MAX_HELD_BYTES = 16 * 1024 * 1024

export interface OpenAiCompletionOptions {
  requestId?: string
  /** Tools renamed on the way in. */
  toolNames?: ToolNames | null
}

/** Forwards a JSON answer as it arrives; buffers it only if tool names must be restored. */
export class OpenAiCompletion extends GatewayResponse {
  readonly #response: ServerResponse
  readonly #options: OpenAiCompletionOptions
  readonly #held = new GrowingBuffer()
  #headers: Record<string, string> = {}
  #flow: Flow | null = null

  constructor(response: ServerResponse, recorded: Recorded, options: OpenAiCompletionOptions = {}) {
    super(recorded)
    this.#response = response
    this.#options = options
  }

  protected started(headers: IncomingHttpHeaders, flow: Flow): void {
    this.#flow = flow
    const { requestId, toolNames } = this.#options
    this.#headers = clientHeaders(headers)
    if (requestId) this.#headers['x-request-id'] = requestId
    if (!toolNames) this.#response.writeHead(200, this.#headers)
  }

  protected chunk(bytes: Buffer): void {
    if (this.#options.toolNames) return this.#hold(bytes)
    if (this.#response.write(bytes)) return
    this.#flow!.pause()
    this.#response.once('drain', () => this.#flow!.resume())
  }

  protected finished(): void {
    const { toolNames } = this.#options
    if (!toolNames) return void this.#response.end()
    const answer = toolNames.restored(this.#held.take())
    const length = String(answer.length)
    this.#response.writeHead(200, { ...this.#headers, 'content-length': length }).end(answer)
  }

  #hold(bytes: Buffer): void {
    if (this.#held.size + bytes.length > MAX_HELD_BYTES) throw new E_AGENT_FAILED()
    this.#held.add(bytes)
  }
}
