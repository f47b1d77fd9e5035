import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { cut } from '#text/cut'
import type { EventStream } from '#http/event_stream'
import type { RelayClient } from '#chat/running_calls'

/**
 * Limit of characters recorded per run for pages that join later. Beyond it, reasoning and tools are dropped first,
 * because the history has them too. If the text alone exceeds the limit, pages rely on the history.
 */
const KEPT_CHARACTERS = 4 * 1024 * 1024

/** Limit of the question's characters. Of a run that is joined, the agent tells it. */
const QUESTION_LENGTH = 1024 * 1024

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
 * One page message in progress: the events so far, and the streams that receive the rest. The relay sees it
 * as the client: it disconnects when it is stopped, or when its first reader leaves unless it runs in the
 * background.
 */
export class LiveRun extends EventEmitter implements RelayClient {
  destroyed = false
  readonly #readers = new Set<Reader>()
  #told: RunEventRecord[] = []
  readonly #tools = new Map<string, RunEventRecord>()
  readonly question: string
  #characters = 0
  #caughtUp: (() => void) | null = null
  readonly #over = Promise.withResolvers<void>()
  #hasEnded = false
  /** Why the run goes on at its agent although its owner stopped it. */
  notStopped: Error | null = null

  /** @param question the owner's message, for pages that join later */
  constructor(
    question: string,
    readonly background: boolean,
    readonly startedAt = new Date()
  ) {
    super()
    this.question = cut(question, QUESTION_LENGTH)
  }

  /** Whether the record is complete enough for a page that joins now. */
  get isWhole(): boolean {
    return this.#characters <= KEPT_CHARACTERS
  }

  /** Resolves once the run has ended. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Sends an event to all readers. Returns false if one is behind: wait for `drained`. */
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

  /** Adds the first reader, the sender of the message. */
  begin(stream: EventStream, response: ServerResponse): void {
    this.#read(stream, response, () => this.background || this.leave())
  }

  /** Adds another reader: replays the events so far, then streams the rest. */
  follow(stream: EventStream, response: ServerResponse): void {
    const { question, startedAt } = this
    stream.event('question', { text: question, startedAt })
    for (const { name, data } of this.#told) stream.event(name, data)
    /** It may have ended while the reader joined. */
    if (this.#hasEnded) stream.end()
    else this.#read(stream, response, () => {})
  }

  /** Ends the answer for every reader. */
  end(): void {
    this.#hasEnded = true
    for (const { stream } of this.#readers) stream.end()
    this.#readers.clear()
    this.#over.resolve()
  }

  /** Cancels the run: nobody is waiting for its answer. */
  leave(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }

  #read(stream: EventStream, response: ServerResponse, left: () => void): void {
    const reader: Reader = { stream, behind: false }
    const leave = () => {
      stream.release()
      this.#readers.delete(reader)
      this.#settle()
      left()
    }
    /** The client may have left already; `close` is then not emitted again. */
    if (response.destroyed) return leave()
    this.#readers.add(reader)
    response.once('close', leave)
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

  /**
   * Merges consecutive text pieces and keeps only the latest state of each tool: enough for a page that joins
   * later.
   */
  #record(event: RunEventRecord): void {
    if (!this.isWhole || event.name === 'progress') return
    this.#merge(event)
    if (this.isWhole) return
    this.#told = this.#told.filter(({ name }) => name !== 'reasoning' && name !== 'tool')
    this.#tools.clear()
    this.#characters = this.#told.reduce((sum, { data }) => sum + lengthOf(data), 0)
    if (!this.isWhole) this.#told = []
  }

  #merge({ name, data }: RunEventRecord): void {
    const last = this.#told.at(-1)
    if ((name === 'delta' || name === 'reasoning') && last?.name === name) {
      last.data = { text: last.data.text + data.text }
      this.#characters += data.text.length
      return
    }
    const known = name === 'tool' ? this.#tools.get(data.id) : undefined
    if (known) {
      const merged = { ...known.data, ...data }
      this.#characters += lengthOf(merged) - lengthOf(known.data)
      known.data = merged
      return
    }
    this.#characters += lengthOf(data)
    const record = { name, data }
    if (name === 'tool') this.#tools.set(data.id, record)
    this.#told.push(record)
  }
}

const lengthOf = (data: unknown) => JSON.stringify(data).length
