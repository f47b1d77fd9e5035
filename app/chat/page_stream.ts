import { StringDecoder } from 'node:string_decoder'
import { createParser, type EventSourceParser } from 'eventsource-parser'
import { parseJson } from '#bounded/json'
import type { Flow } from '#chat/upstream_call'
import { GatewayResponse } from '#chat/gateway_response'
import { runFailure, RunFailed } from '#chat/failures'
import { E_AGENT_GONE } from '#chat/errors'
import { ownModelName } from '#chat/own_model_name'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import { listIn, numberIn, objectIn, textIn } from '#openclaw/gateway_fields'

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

  constructor(events: PageEvents, conversationId: string) {
    super()
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
   * stand-in, unless it is a better name `insteadOf` the first.
   */
  answeredBy(reference: string, insteadOf?: string): void {
    const model = ownModelName(reference)
    const asked = this.#models?.asked ?? model
    const isSame = insteadOf !== undefined && asked === ownModelName(insteadOf)
    this.#models = { asked: isSame ? model : asked, answers: model }
  }

  /** Whether the gateway took the question. */
  get hasBegun(): boolean {
    return this.#flow !== null
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
    /** A gateway's event: a chunk of a completion, or an event of a response. */
    const event = objectIn(parseJson(data))
    const answer = objectIn(event.response)
    const error = event.error ?? answer.error
    if (error || event.type === 'response.failed') {
      const said = textIn(objectIn(error).message) ?? null
      throw new RunFailed((recorded) => runFailure(said, recorded))
    }
    const usage = event.usage ?? answer.usage
    if (usage) this.#usage = usageOf(objectIn(usage))
    const text = textIn(event.type === 'response.output_text.delta' ? event.delta : said(event))
    if (text && !this.#events.event('delta', { text })) this.#full = true
  }
}

const said = ({ choices }: Record<string, unknown>): unknown =>
  objectIn(objectIn(listIn(choices)[0]).delta).content

function usageOf(usage: Record<string, unknown>): Usage {
  return {
    inputTokens: numberIn(usage.prompt_tokens) ?? numberIn(usage.input_tokens) ?? 0,
    outputTokens: numberIn(usage.completion_tokens) ?? numberIn(usage.output_tokens) ?? 0,
    totalTokens: numberIn(usage.total_tokens) ?? 0,
  }
}
