import type { Flow } from '#chat/upstream_call'
import { COMPLETIONS, type Dialect } from '#chat/dialects'
import { GatewayResponse } from '#chat/gateway_response'
import type { EventStream } from '#http/event_stream'
import { runFailure, RunFailed } from '#chat/failures'
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
  #opening = ''
  #isDone = false

  constructor(stream: EventStream, options: OpenAiStreamOptions = {}) {
    super()
    this.#stream = stream
    this.#dialect = options.dialect ?? COMPLETIONS
    this.#toolNames = options.toolNames ?? null
  }

  protected started(_headers: unknown, flow: Flow): void {
    this.#flow = flow
  }

  protected chunk(bytes: Buffer): void {
    const whole = this.#events.take(bytes)
    if (whole === null) return
    /** Converted once for all searches and the write: each use of a buffer crosses into native code. */
    const events = whole.toString('latin1')
    const failureAt = this.#dialect.failureAt(events)
    if (failureAt !== -1) this.#throwError(events, failureAt)
    this.#isDone = events.endsWith(DONE)
    if (this.#mayWait(events)) return void (this.#opening += events)
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
    return this.#opening.length + events.length < MAX_OPENING_BYTES
  }

  #flush(): void {
    if (this.#opening === '') return
    this.#stream.write(this.#opening)
    this.#opening = ''
  }

  /** Returns false if the client is behind. */
  #write(events: string): boolean {
    this.#flush()
    return this.#stream.write(this.#toolNames ? this.#restored(events, this.#toolNames) : events)
  }

  #restored(events: string, toolNames: ToolNames): string {
    return toolNames.restored(Buffer.from(events, 'latin1')).toString('latin1')
  }

  /** Forwards the events before the error; the error itself is replaced by a reason the owner can act on. */
  #throwError(events: string, at: number): never {
    const end = events.lastIndexOf('\n\n', at)
    const before = events.slice(0, end + 2)
    if (end !== -1 && !this.#mayWait(before)) this.#write(before)
    else if (this.#stream.opened) this.#flush()
    const frame = Buffer.from(events.slice(at, events.indexOf('\n\n', at)), 'latin1').toString()
    const words = this.#dialect.wordsOf(frame)
    const said = typeof words === 'string' ? words : null
    throw new RunFailed((recorded) => runFailure(said, recorded))
  }
}
