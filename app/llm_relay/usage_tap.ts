import { StringDecoder } from 'node:string_decoder'
import { Transform, type Readable } from 'node:stream'
import { usageIn, type TokenUsage } from '#llm/token_usage'

/** Characters of one message that are kept to be read: a whole answer in one event fits in. */
const MESSAGE_LIMIT = 4 * 1024 * 1024

/** Only what may hold counts is parsed: most events of a stream are a few words. */
const MAY_COUNT = /_tokens"|eval_count"/

/**
 * Reads the usage of an answer while it passes: each piece goes on at once and as it came. Only counts
 * are kept, and of the text no more than the message that is under way.
 */
class UsageReader {
  readonly #decoder = new StringDecoder('utf8')
  readonly #usage: Partial<TokenUsage> = {}
  #message = ''
  #tooLong = false

  /** `wholes`: the answer is one JSON document, and not one message a line. */
  constructor(protected wholes: boolean) {}

  read(chunk: Buffer): void {
    const text = this.#decoder.write(chunk)
    if (this.wholes) return this.#append(text)
    let start = 0
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end === -1) break
      this.#append(text.slice(start, end))
      this.#messageEnds()
      start = end + 1
    }
    this.#append(text.slice(start))
  }

  /** What the answer said, or null where it said nothing. */
  end(): TokenUsage | null {
    this.#messageEnds()
    const { in: input, out } = this.#usage
    return input === undefined && out === undefined ? null : { in: input ?? 0, out: out ?? 0 }
  }

  #append(text: string): void {
    if (this.#tooLong) return
    this.#message += text
    if (this.#message.length <= MESSAGE_LIMIT) return
    this.#tooLong = true
    this.#message = ''
  }

  #messageEnds(): void {
    const message = this.#message.replace(/^data: ?/, '')
    this.#message = ''
    this.#tooLong = false
    if (!MAY_COUNT.test(message)) return
    try {
      /** The last word counts: families that tell it more than once tell the sum so far. */
      Object.assign(this.#usage, usageIn(JSON.parse(message)))
    } catch {
      /** No JSON: then it counts nothing. */
    }
  }
}

/**
 * The body as it is, and what it said of tokens to `told`, once, when it ended or was left. Null tells
 * nothing. A compressed body is passed on unread.
 */
export function tapUsage(
  body: Readable,
  headers: Record<string, string>,
  told: (usage: TokenUsage) => void
): Readable {
  const type = headers['content-type'] ?? ''
  const isText = /json|event-stream|ndjson/.test(type)
  if (!isText || headers['content-encoding']) return body

  const reader = new UsageReader(/^application\/json/.test(type))
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, passOn) {
      reader.read(chunk)
      passOn(null, chunk)
    },
  })
  body.once('error', (error) => tap.destroy(error))
  tap.once('close', () => {
    const usage = reader.end()
    if (usage) told(usage)
    body.destroy()
  })
  /** An agent that leaves ends the body; nobody needs to hear that from the tap. */
  tap.on('error', () => {})
  return body.pipe(tap)
}
