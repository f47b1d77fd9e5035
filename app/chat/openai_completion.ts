import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { TakeBytes } from '#chat/agent_content'
import { E_AGENT_FAILED } from '#chat/errors'
import type { Dialect } from '#chat/dialects'
import type { Flow } from '#chat/upstream_call'
import { clientHeaders } from '#chat/headers'
import { GatewayResponse } from '#chat/gateway_response'
import type { ToolNames } from '#chat/tool_names'
import { GrowingBuffer } from '#bounded/growing_buffer'

/** Limit of a buffered answer in bytes: no model writes more at once. */
const MAX_HELD_BYTES = 16 * 1024 * 1024

export interface OpenAiCompletionOptions {
  /** Counts what is buffered against the caller's share of memory. */
  take: TakeBytes
  requestId?: string
  /** Tools renamed on the way in. */
  toolNames?: ToolNames | null
  dialect?: Dialect
}

/** Forwards a JSON answer as it arrives; buffers it only if it must change on its way. */
export class OpenAiCompletion extends GatewayResponse {
  readonly #response: ServerResponse
  readonly #options: OpenAiCompletionOptions
  readonly #held = new GrowingBuffer()
  #headers: Record<string, string> = {}
  #flow: Flow | null = null

  constructor(response: ServerResponse, options: OpenAiCompletionOptions) {
    super()
    this.#response = response
    this.#options = options
  }

  protected started(headers: IncomingHttpHeaders, flow: Flow): void {
    this.#flow = flow
    const { requestId } = this.#options
    this.#headers = clientHeaders(headers)
    if (requestId) this.#headers['x-request-id'] = requestId
    if (!this.#changes) this.#response.writeHead(200, this.#headers)
  }

  protected chunk(bytes: Buffer): void {
    if (this.#changes) return this.#hold(bytes)
    if (this.#response.write(bytes)) return
    this.#flow!.pause()
    this.#response.once('drain', () => this.#flow!.resume())
  }

  protected finished(): void {
    if (!this.#changes) return void this.#response.end()
    const { toolNames, dialect, take } = this.#options
    const held = this.#held.take()
    const restored = toolNames?.restored(held) ?? held
    const answer = dialect?.completed?.(restored) ?? restored
    take(Math.max(0, answer.length - held.length))
    const length = String(answer.length)
    this.#response.writeHead(200, { ...this.#headers, 'content-length': length }).end(answer)
  }

  /** Resolves once no buffered answer waits for its client: until then it takes memory. */
  async delivered(): Promise<void> {
    if (this.#changes) await finished(this.#response).catch(() => {})
  }

  get #changes(): boolean {
    const { toolNames, dialect } = this.#options
    return Boolean(toolNames || dialect?.completed)
  }

  #hold(bytes: Buffer): void {
    if (this.#held.size + bytes.length > MAX_HELD_BYTES) throw new E_AGENT_FAILED()
    this.#options.take(bytes.length)
    this.#held.add(bytes)
  }
}
