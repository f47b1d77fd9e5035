import { StringDecoder } from 'node:string_decoder'

/** One event of a stream, one line of NDJSON, or a whole document. */
export interface Message {
  /** What an event calls itself, or null. */
  event: string | null
  data: string
}

/** How an answer is written: as server-sent events, as JSON objects one after the other, or as something else. */
type Framing = 'events' | 'json' | 'other'

const FIELDS = [':', 'data', 'event', 'id', 'retry']
const [QUOTE, BACKSLASH, OPEN, CLOSE] = ['"', '\\', '{', '}'].map((sign) => sign.charCodeAt(0))

/**
 * Cuts an answer into its messages while it passes, by what it holds and not by what its headers say. JSON is
 * followed by its braces, so a document may be on one line or on many, one after the other or in a list.
 * Linear in the length of the answer, whatever its pieces; of a message longer than `limit` characters
 * nothing is kept.
 */
export class MessageReader {
  readonly #decoder = new StringDecoder('utf8')
  #framing: Framing | null = null
  #found: Message[] = []
  /** What has come of the message under way: its text, and for events the line that is not ended. */
  #text = ''
  #line = ''
  #event: string | null = null
  #isTooLong = false
  #depth = 0
  #isInString = false
  #isEscaped = false

  constructor(protected limit: number) {}

  /** Null until the first characters came. */
  get framing(): Framing | null {
    return this.#framing
  }

  /** The messages that end in this piece. */
  read(chunk: Buffer): Message[] {
    return this.#take(this.#decoder.write(chunk))
  }

  /** What the answer ended with, without the mark that ends a message. */
  end(): Message[] {
    this.#take(this.#decoder.end())
    if (this.#framing === 'events') {
      this.#lineEnds()
      this.#eventEnds()
    }
    return this.#handOut()
  }

  #take(text: string): Message[] {
    const rest = this.#framing ? text : this.#begin(text)
    if (this.#framing === 'events') this.#takeLines(rest)
    if (this.#framing === 'json') this.#takeJson(rest)
    return this.#handOut()
  }

  #handOut(): Message[] {
    const found = this.#found
    this.#found = []
    return found
  }

  /** Looks at the first sign that is no white space. */
  #begin(text: string): string {
    const rest = text.replace(/^\uFEFF/, '').trimStart()
    if (rest === '') return ''
    const isField = FIELDS.some((field) => field.startsWith(rest) || rest.startsWith(field))
    this.#framing = /^[[{]/.test(rest) ? 'json' : isField ? 'events' : 'other'
    return rest
  }

  #takeLines(text: string): void {
    let start = 0
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end === -1) break
      this.#line = this.#joined(this.#line, text.slice(start, end))
      this.#lineEnds()
      start = end + 1
    }
    this.#line = this.#joined(this.#line, text.slice(start))
  }

  #lineEnds(): void {
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    if (line === '') return this.#eventEnds()
    const colon = line.indexOf(':')
    if (colon <= 0) return
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    const field = line.slice(0, colon)
    if (field === 'event') this.#event = value
    if (field === 'data') this.#text = this.#joined(this.#text, `${this.#text && '\n'}${value}`)
  }

  #eventEnds(): void {
    const [event, data] = [this.#event, this.#text]
    const isWhole = !this.#isTooLong
    this.#event = null
    this.#text = ''
    this.#isTooLong = false
    if (data !== '' && isWhole) this.#found.push({ event, data })
  }

  #takeJson(text: string): void {
    let start = this.#depth > 0 ? 0 : -1
    for (let at = 0; at < text.length; at++) {
      const sign = text.charCodeAt(at)
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (sign === BACKSLASH) this.#isEscaped = true
        else if (sign === QUOTE) this.#isInString = false
      } else if (sign === QUOTE) {
        this.#isInString = this.#depth > 0
      } else if (sign === OPEN) {
        if (this.#depth++ === 0) start = at
      } else if (sign === CLOSE && this.#depth > 0 && --this.#depth === 0) {
        this.#text = this.#joined(this.#text, text.slice(start, at + 1))
        start = -1
        this.#eventEnds()
      }
    }
    if (start >= 0) this.#text = this.#joined(this.#text, text.slice(start))
  }

  #joined(before: string, more: string): string {
    if (!this.#isTooLong && before.length + more.length <= this.limit) return before + more
    this.#isTooLong = true
    return ''
  }
}
