import { GrowingBuffer } from '#bounded/growing_buffer'

/** One event of a stream, one JSON object, or a whole document. */
export interface Message {
  /** The event's name, or null. */
  event: string | null
  data: string
  /** Set if the message exceeded the limit: `data` is only its end. */
  isCut?: boolean
}

/** Framing of an answer: server-sent events, a sequence of JSON objects, or something else. */
type Framing = 'events' | 'json' | 'other'

const FIELDS = [':', 'data', 'event', 'id', 'retry']
/** UTF-8 byte order mark that some servers send, as Latin-1. */
const BOM = '\u00ef\u00bb\u00bf'
/** Limit of data lines per event. Pretty-printed documents have a few hundred. */
const MOST_LINES = 10_000

/** Bytes kept of the end of a message that exceeds the limit: services put token counts there. */
const TAIL_BYTES = 8 * 1024

const NEWLINE = 0x0a
const [QUOTE, BACKSLASH, OPEN, CLOSE] = ['"', '\\', '{', '}'].map((sign) => sign.charCodeAt(0))

/**
 * Splits an answer into messages as it passes, detecting the framing from the content instead of the headers.
 * JSON is tracked by its braces, so documents may span one line or many, in sequence or in a list. Linear in
 * the length of the answer, in time and memory, however it is chunked. Of messages longer than
 * `limit` bytes only the end is kept.
 */
export class MessageReader {
  #framing: Framing | null = null
  /** Leading characters, until they reveal the framing. */
  #head = ''
  #found: Message[] = []
  /** The current line of an event stream, or the current JSON object. */
  readonly #pending = new GrowingBuffer()
  /** Fields of the current event so far. */
  #event: string | null = null
  #data: string[] = []
  #size = 0
  #isTooLong = false
  /** The end of a message that is too long. */
  #tail: Buffer = Buffer.alloc(0)
  #depth = 0
  #isInString = false
  #isEscaped = false

  /** Messages found so far. */
  messages = 0

  constructor(protected limit: number) {}

  /** Null until the leading characters have arrived. */
  get framing(): Framing | null {
    return this.#framing
  }

  /** Returns the messages completed by this chunk. */
  read(chunk: Buffer): Message[] {
    const rest = this.#framing ? chunk : this.#begin(chunk)
    if (this.#framing === 'events') this.#takeLines(rest)
    if (this.#framing === 'json') this.#takeJson(rest)
    return this.#handOut()
  }

  /** Returns a final message that lacks its terminator. */
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
    this.messages += found.length
    return found
  }

  /**
   * Detects the framing at the first character that is not white space, and returns the chunk from there on.
   */
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
    const event = this.#event
    if (this.#data.length > 0) this.#found.push({ event, data: this.#data.join('\n') })
    if (this.#tail.length > 0) {
      this.#found.push({ event, data: this.#tail.toString('utf8'), isCut: true })
      this.#tail = Buffer.alloc(0)
    }
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

  /** Returns the pending bytes followed by these; empty if that exceeds the limit. */
  #joined(bytes: Buffer): Buffer {
    if (this.#pending.size === 0 && !this.#isTooLong && bytes.length <= this.limit) return bytes
    this.#keep(bytes)
    return this.#pending.take()
  }

  #keep(bytes: Buffer): void {
    if (!this.#isTooLong && this.#pending.size + bytes.length > this.limit) this.#tooLong()
    if (this.#isTooLong) this.#tail = endOf(this.#tail, bytes)
    else if (bytes.length > 0) this.#pending.add(bytes)
  }

  #tooLong(): void {
    this.#isTooLong = true
    this.#tail = endOf(this.#tail, this.#pending.take())
    this.#data = []
  }
}

/** Returns a copy of the last bytes of both. */
function endOf(before: Buffer, bytes: Buffer): Buffer {
  return Buffer.concat([before, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
}
