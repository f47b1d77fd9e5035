import { GrowingBuffer } from '#bounded/growing_buffer'

/** One event of a stream, one line of NDJSON, or a whole document. */
export interface Message {
  /** What an event calls itself, or null. */
  event: string | null
  data: string
}

/** How an answer is written: as server-sent events, as JSON objects one after the other, or as something else. */
type Framing = 'events' | 'json' | 'other'

const FIELDS = [':', 'data', 'event', 'id', 'retry']
/** The mark that some servers put ahead of UTF-8, byte by byte. */
const BOM = '\u00ef\u00bb\u00bf'
/** Lines of data in one event. Pretty-printed documents have a few hundred. */
const MOST_LINES = 10_000

const NEWLINE = 0x0a
const [QUOTE, BACKSLASH, OPEN, CLOSE] = ['"', '\\', '{', '}'].map((sign) => sign.charCodeAt(0))

/**
 * Cuts an answer into its messages while it passes, by what it holds and not by what its headers say. JSON is
 * followed by its braces, so a document may be on one line or on many, one after the other or in a list.
 * Linear in the length of the answer, in time and memory, whatever its pieces; of a message longer than
 * `limit` bytes nothing is kept.
 */
export class MessageReader {
  #framing: Framing | null = null
  /** The first signs, until they tell how the answer is written. */
  #head = ''
  #found: Message[] = []
  /** Of events, the line under way; of JSON, the object. */
  readonly #pending = new GrowingBuffer()
  /** What the event under way holds so far. */
  #event: string | null = null
  #data: string[] = []
  #size = 0
  #isTooLong = false
  #depth = 0
  #isInString = false
  #isEscaped = false

  constructor(protected limit: number) {}

  /** Null until the first signs came. */
  get framing(): Framing | null {
    return this.#framing
  }

  /** The messages that end in this piece. */
  read(chunk: Buffer): Message[] {
    const rest = this.#framing ? chunk : this.#begin(chunk)
    if (this.#framing === 'events') this.#takeLines(rest)
    if (this.#framing === 'json') this.#takeJson(rest)
    return this.#handOut()
  }

  /** What the answer ended with, without the mark that ends a message. */
  end(): Message[] {
    if (this.#framing === 'events') {
      this.#lineEnds(this.#pending.take())
      this.#eventEnds()
    }
    return this.#handOut()
  }

  #handOut(): Message[] {
    const found = this.#found
    this.#found = []
    return found
  }

  /** Looks at the first sign that is no white space, and gives what of the piece follows on it. */
  #begin(chunk: Buffer): Buffer {
    const signs = (this.#head + chunk.toString('latin1')).trimStart()
    if (signs === '' || (signs.length < BOM.length && BOM.startsWith(signs))) {
      this.#head = signs
      return Buffer.alloc(0)
    }
    const rest = (signs.startsWith(BOM) ? signs.slice(BOM.length) : signs).trimStart()
    this.#head = ''
    if (rest === '') return Buffer.alloc(0)
    const isField = FIELDS.some((field) => field.startsWith(rest) || rest.startsWith(field))
    this.#framing = /^[[{]/.test(rest) ? 'json' : isField ? 'events' : 'other'
    return Buffer.from(rest, 'latin1')
  }

  #takeLines(chunk: Buffer): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end === -1) break
      this.#lineEnds(this.#joined(chunk.subarray(start, end)))
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
  }

  #lineEnds(bytes: Buffer): void {
    const whole = bytes.toString('utf8')
    const line = whole.endsWith('\r') ? whole.slice(0, -1) : whole
    if (line === '') return this.#eventEnds()
    const colon = line.indexOf(':')
    if (colon <= 0) return
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    const field = line.slice(0, colon)
    if (field === 'event') this.#event = value
    if (field !== 'data' || this.#isTooLong) return
    this.#size += value.length
    if (this.#size > this.limit || this.#data.length === MOST_LINES) this.#tooLong()
    else this.#data.push(value)
  }

  #eventEnds(): void {
    if (this.#data.length > 0) this.#found.push({ event: this.#event, data: this.#data.join('\n') })
    this.#event = null
    this.#data = []
    this.#size = 0
    this.#isTooLong = false
  }

  #takeJson(chunk: Buffer): void {
    let start = this.#depth > 0 ? 0 : -1
    for (let at = 0; at < chunk.length; at++) {
      const sign = chunk[at]
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (sign === BACKSLASH) this.#isEscaped = true
        else if (sign === QUOTE) this.#isInString = false
      } else if (sign === QUOTE) {
        this.#isInString = this.#depth > 0
      } else if (sign === OPEN) {
        if (this.#depth++ === 0) start = at
      } else if (sign === CLOSE && this.#depth > 0 && --this.#depth === 0) {
        const object = this.#joined(chunk.subarray(start, at + 1))
        if (object.length > 0) this.#data.push(object.toString('utf8'))
        start = -1
        this.#eventEnds()
      }
    }
    if (start >= 0) this.#keep(chunk.subarray(start))
  }

  /** The pending bytes with these behind them; nothing where they are too many. */
  #joined(bytes: Buffer): Buffer {
    if (this.#pending.size === 0 && !this.#isTooLong && bytes.length <= this.limit) return bytes
    this.#keep(bytes)
    return this.#pending.take()
  }

  #keep(bytes: Buffer): void {
    if (this.#isTooLong) return
    if (this.#pending.size + bytes.length > this.limit) this.#tooLong()
    else if (bytes.length > 0) this.#pending.add(bytes)
  }

  #tooLong(): void {
    this.#isTooLong = true
    this.#pending.take()
    this.#data = []
  }
}
