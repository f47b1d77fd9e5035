import type { Flow } from '#chat/upstream_call'
import { COMPLETIONS, type Dialect } from '#chat/dialects'
import { GatewayResponse } from '#chat/gateway_response'
import type { EventStream } from '#http/event_stream'
import { runFailure, type Recorded } from '#chat/failures'
import { E_AGENT_GONE } from '#chat/errors'
import type { ToolNames } from '#chat/tool_names'
import { WholeEvents } from '#chat/whole_events'

const DONE = 'data: [DONE]\n\n'

/** Limit of buffered opening events in bytes; each takes a few hundred. */
const MAX_OPENING_BYTES = 64 * 1024

export interface OpenAiStreamOptions {
  dialect?: Dialect
  /** Tools renamed on the way in. */
  toolNames?: ToolNames | null
}

/**
 * Forwards a gateway's event stream unchanged except for errors and renamed tools, always in whole events: a
 * comment never splits an event, and a broken stream can still end with an error event.
 *
 * A gateway opens its answer before it calls a model. Opening events are held until the first word as long as
 * the stream is not open, so a run that fails at once is answered with the status of its failure.
 */
export class OpenAiStream extends GatewayResponse {
  readonly #stream: EventStream
  readonly #dialect: Dialect
  readonly #toolNames: ToolNames | null
  #flow: Flow | null = null
  readonly #events = new WholeEvents()
  #opening: Buffer[] = []
  #isDone = false

  constructor(stream: EventStream, recorded: Recorded, options: OpenAiStreamOptions = {}) {
    super(recorded)
    this.#stream = stream
    this.#dialect = options.dialect ?? COMPLETIONS
    this.#toolNames = options.toolNames ?? null
  }

  protected started(_headers: unknown, flow: Flow): void {
    this.#flow = flow
  }

  protected chunk(bytes: Buffer): void {
    const events = this.#events.take(bytes)
    if (events === null) return
    /** Converted once for all searches: each search of a buffer crosses into native code. */
    const text = events.toString('latin1')
    const failureAt = this.#dialect.failureAt(text)
    if (failureAt !== -1) this.#throwError(events, failureAt)
    this.#isDone = text.endsWith(DONE)
    if (this.#mayWait(text)) return void this.#opening.push(events)
    if (this.#write(events)) return
    this.#flow!.pause()
    this.#stream.drained(() => this.#flow!.resume())
  }

  protected finished(): void {
    if (this.#events.isInside || !this.#isDone) throw new E_AGENT_GONE()
    this.#stream.end()
  }

  #mayWait(events: string): boolean {
    if (this.#stream.opened || !this.#dialect.isOpening(events)) return false
    return (
      this.#opening.reduce((sum, { length }) => sum + length, events.length) < MAX_OPENING_BYTES
    )
  }

  #flush(): void {
    if (this.#opening.length === 0) return
    const waited = this.#opening
    this.#opening = []
    for (const opening of waited) this.#stream.write(opening)
  }

  /** Returns false if the client is behind. */
  #write(events: Buffer): boolean {
    this.#flush()
    return this.#stream.write(this.#toolNames?.restored(events) ?? events)
  }

  /** Forwards the events before the error; the error itself is replaced by a reason the owner can act on. */
  #throwError(events: Buffer, at: number): never {
    const end = events.lastIndexOf('\n\n', at)
    const before = events.subarray(0, end + 2)
    if (end !== -1 && !this.#mayWait(before.toString('latin1'))) this.#write(before)
    else if (this.#stream.opened) this.#flush()
    const frame = events.subarray(at, events.indexOf('\n\n', at)).toString()
    const words = this.#dialect.wordsOf(frame)
    throw runFailure(typeof words === 'string' ? words : null, this.recorded)
  }
}
