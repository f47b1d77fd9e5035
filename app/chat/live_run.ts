import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { EventStream } from '#http/event_stream'
import type { RelayClient } from '#chat/relay'

/** Characters of one run that are kept for pages that come later; beyond them the history has to do. */
const KEPT_CHARACTERS = 4 * 1024 * 1024

/** An event of the page's chat. */
export interface RunEventRecord {
  name: string
  data: any
}

interface Reader {
  stream: EventStream
  behind: boolean
}

/**
 * One message of the page that is being answered: what was told of the answer so far, and the streams that
 * hear more. To the relay it is the client: it leaves when its first reader does, unless it runs in the
 * background, and when it is stopped.
 */
export class LiveRun extends EventEmitter implements RelayClient {
  destroyed = false
  readonly startedAt = new Date()
  readonly #readers = new Set<Reader>()
  readonly #told: RunEventRecord[] = []
  readonly #tools = new Map<string, RunEventRecord>()
  #characters = 0
  #caughtUp: (() => void) | null = null

  /** @param question what its owner said, for pages that come later */
  constructor(
    readonly question: string,
    readonly background: boolean
  ) {
    super()
  }

  /** Whether a page that comes now can be told all of it. */
  get isWhole(): boolean {
    return this.#characters <= KEPT_CHARACTERS
  }

  /** Tells an event to all readers. False means: one is behind, wait for `drained`. */
  event(name: string, data: unknown): boolean {
    this.#record({ name, data })
    let ready = true
    for (const reader of this.#readers) {
      if (reader.stream.event(name, data)) continue
      ready = false
      this.#wait(reader)
    }
    return ready
  }

  /** Calls back once no reader is behind. */
  drained(callback: () => void): void {
    this.#caughtUp = callback
    this.#settle()
  }

  /** The first reader, who sent the message. */
  begin(stream: EventStream, response: ServerResponse): void {
    this.#read(stream, response, () => this.background || this.leave())
  }

  /** One more reader: hears what was told so far, then the rest. */
  follow(stream: EventStream, response: ServerResponse): void {
    const { question, startedAt } = this
    stream.event('question', { text: question, startedAt })
    for (const { name, data } of this.#told) stream.event(name, data)
    this.#read(stream, response, () => {})
  }

  /** Ends the answer to every reader. */
  end(): void {
    for (const { stream } of this.#readers) stream.end()
    this.#readers.clear()
  }

  /** Ends the run: nobody waits for its answer. */
  leave(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }

  #read(stream: EventStream, response: ServerResponse, left: () => void): void {
    const reader: Reader = { stream, behind: false }
    this.#readers.add(reader)
    response.once('close', () => {
      stream.release()
      this.#readers.delete(reader)
      this.#settle()
      left()
    })
  }

  #wait(reader: Reader): void {
    if (reader.behind) return
    reader.behind = true
    reader.stream.drained(() => {
      reader.behind = false
      this.#settle()
    })
  }

  #settle(): void {
    if ([...this.#readers].some(({ behind }) => behind)) return
    const callback = this.#caughtUp
    this.#caughtUp = null
    callback?.()
  }

  /** Pieces of a text become one, and of a tool its last step stays: a later page needs no more. */
  #record({ name, data }: RunEventRecord): void {
    if (!this.isWhole) return
    const last = this.#told.at(-1)
    if ((name === 'delta' || name === 'reasoning') && last?.name === name) {
      last.data = { text: last.data.text + data.text }
      this.#characters += data.text.length
      return
    }
    if (name === 'progress') return
    this.#characters += JSON.stringify(data).length
    const known = name === 'tool' ? this.#tools.get(data.id) : undefined
    if (known) {
      known.data = { ...known.data, ...data }
      return
    }
    const record = { name, data }
    if (name === 'tool') this.#tools.set(data.id, record)
    this.#told.push(record)
  }
}
