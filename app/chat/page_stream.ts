import { StringDecoder } from 'node:string_decoder'
import { createParser, type EventSourceParser } from 'eventsource-parser'
import type { Flow } from '#chat/upstream_call'
import { GatewayResponse } from '#chat/gateway_response'
import type { EventStream } from '#http/event_stream'
import { runFailure, type Recorded } from '#chat/failures'
import { E_AGENT_GONE } from '#chat/errors'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'

/** Characters of one event: the page asks for a few words at a time, and gets a whole answer in one at most. */
const MAX_EVENT_LENGTH = 4 * 1024 * 1024

/** Tokens that a turn cost, as the provider counts them. */
export interface Usage {
  inputTokens: number
  outputTokens: number
  totalTokens: number
}

/** What of a gateway's chunk the page needs. */
interface Chunk {
  choices?: { delta?: { content?: string | null } }[]
  usage?: { prompt_tokens?: number; completion_tokens?: number; total_tokens?: number } | null
  error?: { message?: string }
}

/** Turns a gateway's event stream into the page's: `delta { text }`, then `done { conversationId, usage? }`. */
export class PageStream extends GatewayResponse {
  readonly #stream: EventStream
  readonly #conversationId: string
  readonly #decoder = new StringDecoder()
  readonly #parser: EventSourceParser
  #flow: Flow | null = null
  #usage: Usage | undefined
  #done = false
  #full = false

  constructor(stream: EventStream, conversationId: string, recorded: Recorded) {
    super(recorded)
    this.#stream = stream
    this.#conversationId = conversationId
    this.#parser = createParser({
      maxBufferSize: MAX_EVENT_LENGTH,
      onEvent: ({ data }) => this.#take(data),
      onError: ({ type }) => {
        if (type !== 'max-buffer-size-exceeded') return
        throw new E_INPUT_TOO_LARGE('An event of your agent', MAX_EVENT_LENGTH)
      },
    })
  }

  protected started(_headers: unknown, flow: Flow): void {
    this.#flow = flow
  }

  protected chunk(bytes: Buffer): void {
    this.#full = false
    this.#parser.feed(this.#decoder.write(bytes))
    if (!this.#full) return
    this.#flow!.pause()
    this.#stream.drained(() => this.#flow!.resume())
  }

  protected finished(): void {
    if (!this.#done) throw new E_AGENT_GONE()
    this.#stream.event('done', { conversationId: this.#conversationId, usage: this.#usage })
    this.#stream.end()
  }

  #take(data: string): void {
    if (data === '[DONE]') {
      this.#done = true
      return
    }
    const chunk: Chunk = JSON.parse(data)
    if (chunk.error) throw runFailure(chunk.error.message ?? null, this.recorded)
    if (chunk.usage) this.#usage = usageOf(chunk.usage)
    const text = chunk.choices?.[0]?.delta?.content
    if (text && !this.#stream.event('delta', { text })) this.#full = true
  }
}

function usageOf(usage: NonNullable<Chunk['usage']>): Usage {
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    totalTokens: usage.total_tokens ?? 0,
  }
}
