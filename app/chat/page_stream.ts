import { StringDecoder } from 'node:string_decoder'
import { createParser, type EventSourceParser } from 'eventsource-parser'
import type { Flow } from '#chat/upstream_call'
import { GatewayResponse } from '#chat/gateway_response'
import { runFailure, type Recorded } from '#chat/failures'
import { E_AGENT_GONE } from '#chat/errors'
import { ownModelName } from '#chat/own_model_name'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'

/** Limit of one event in characters: the page expects a few words at a time, and at most a whole answer. */
const MAX_EVENT_LENGTH = 4 * 1024 * 1024

/** Tokens used by a turn, as counted by the provider. */
export interface Usage {
  inputTokens: number
  outputTokens: number
  totalTokens: number
}

/** Destination of the page's events. */
export interface PageEvents {
  /** Returns false if the caller must wait for `drained`. */
  event(name: string, data: unknown): boolean
  drained(callback: () => void): void
}

interface Counts {
  prompt_tokens?: number
  completion_tokens?: number
  input_tokens?: number
  output_tokens?: number
  total_tokens?: number
}

/** The fields the page needs from a gateway's event: a completion chunk or a response event. */
interface Chunk {
  choices?: { delta?: { content?: string | null } }[]
  usage?: Counts | null
  error?: { message?: string }
  type?: string
  delta?: string
  response?: { usage?: Counts | null; error?: { message?: string } | null }
}

/** Converts a gateway's event stream to the page's: `delta { text }`, then `done`. */
export class PageStream extends GatewayResponse {
  readonly #events: PageEvents
  readonly #conversationId: string
  readonly #decoder = new StringDecoder()
  readonly #parser: EventSourceParser
  #flow: Flow | null = null
  #usage: Usage | undefined
  /** The model first asked, and the one answering now. */
  #models: { asked: string; answers: string } | null = null
  #done = false
  #full = false

  constructor(events: PageEvents, conversationId: string, recorded: Recorded) {
    super(recorded)
    this.#events = events
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

  /**
   * Records which model answers from here on, by the gateway's name. One that differs from the first is a
   * stand-in.
   */
  answeredBy(reference: string): void {
    const model = ownModelName(reference)
    this.#models = { asked: this.#models?.asked ?? model, answers: model }
  }

  protected started(_headers: unknown, flow: Flow): void {
    this.#flow = flow
  }

  protected chunk(bytes: Buffer): void {
    this.#full = false
    this.#parser.feed(this.#decoder.write(bytes))
    if (!this.#full) return
    this.#flow!.pause()
    this.#events.drained(() => this.#flow!.resume())
  }

  protected finished(): void {
    if (!this.#done) throw new E_AGENT_GONE()
    const models = this.#models
    this.#events.event('done', {
      conversationId: this.#conversationId,
      usage: this.#usage,
      ...(models && { model: models.answers }),
      ...(models && models.answers !== models.asked && { standIn: true }),
    })
  }

  #take(data: string): void {
    if (data === '[DONE]') {
      this.#done = true
      return
    }
    const chunk: Chunk = JSON.parse(data)
    const error = chunk.error ?? chunk.response?.error
    if (error || chunk.type === 'response.failed') {
      throw runFailure(error?.message ?? null, this.recorded)
    }
    const usage = chunk.usage ?? chunk.response?.usage
    if (usage) this.#usage = usageOf(usage)
    const isResponseText = chunk.type === 'response.output_text.delta'
    const text = isResponseText ? chunk.delta : chunk.choices?.[0]?.delta?.content
    if (text && !this.#events.event('delta', { text })) this.#full = true
  }
}

function usageOf(usage: Counts): Usage {
  return {
    inputTokens: usage.prompt_tokens ?? usage.input_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? usage.output_tokens ?? 0,
    totalTokens: usage.total_tokens ?? 0,
  }
}
