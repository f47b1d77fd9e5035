import { Transform, type Readable } from 'node:stream'
import { usageIn, type TokenUsage } from '#llm/token_usage'
import { mediaType } from '#llm_relay/media_type'
import { MessageReader, type Message } from '#llm_relay/message_reader'

/** Characters of one message that are kept to be read: a whole answer in one event fits in. */
const MESSAGE_LIMIT = 4 * 1024 * 1024

/** Only what may hold counts is parsed: most events of a stream are a few words. */
const MAY_COUNT = /tokens|tokencount|eval_count/i

/**
 * Reads the usage of an answer while it passes: each piece goes on at once and as it came. Only counts
 * are kept, and of the text no more than the message that is under way.
 */
class UsageReader {
  readonly #reader = new MessageReader(MESSAGE_LIMIT)
  readonly #usage: Partial<TokenUsage> = {}

  read(chunk: Buffer): void {
    this.#count(this.#reader.read(chunk))
  }

  /** What the answer said, or null where it said nothing. */
  end(): TokenUsage | null {
    this.#count(this.#reader.end())
    const { in: input, out } = this.#usage
    return input === undefined && out === undefined ? null : { in: input ?? 0, out: out ?? 0 }
  }

  #count(messages: Message[]): void {
    for (const { data } of messages) {
      if (!MAY_COUNT.test(data)) continue
      try {
        /** The last word counts: families that tell it more than once tell the sum so far. */
        Object.assign(this.#usage, usageIn(JSON.parse(data)))
      } catch {
        /** No JSON: then it counts nothing. */
      }
    }
  }
}

/**
 * The body as it is, and what it said of tokens to `told`, once, when it ended or was left. Null tells
 * nothing. What is still compressed, or no text, is passed on unread; what does not say its type is read.
 */
export function tapUsage(
  body: Readable,
  headers: Record<string, string>,
  told: (usage: TokenUsage) => void
): Readable {
  const isText = !/^(?:audio|image|video|font)\//.test(mediaType(headers))
  if (!isText || headers['content-encoding']) return body

  const reader = new UsageReader()
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
