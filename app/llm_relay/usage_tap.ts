import { Transform, type Readable } from 'node:stream'
import { parseJson } from '#bounded/json'
import { usageIn, type TokenUsage } from '#llm/token_usage'
import { mediaType } from '#llm_relay/media_type'
import { MessageReader, type Message } from '#llm_relay/message_reader'
import { isProviderError, providerError, type ProviderError } from '#llm_relay/provider_error'

/** Limit of one parsed message, in characters: fits a whole answer in one event. */
const MESSAGE_LIMIT = 4 * 1024 * 1024

/** Messages worth parsing; most events of a stream only hold a few words. */
const MAY_COUNT = /tokens|tokencount|eval_count/i
const MAY_FAIL = /"error"\s*:\s*[{"t]|"type"\s*:\s*"error"/

/**
 * Reads token usage and an error from a passing answer without delaying or changing it. Keeps only counts, and
 * no more text than the current message.
 */
class UsageReader {
  readonly #reader = new MessageReader(MESSAGE_LIMIT)
  readonly #usage: Partial<TokenUsage> = {}
  #hasFailed = false

  constructor(protected failed: (error: ProviderError) => void) {}

  read(chunk: Buffer): void {
    this.#count(this.#reader.read(chunk))
  }

  /** Returns the reported usage, or null if there was none. */
  end(): TokenUsage | null {
    this.#count(this.#reader.end())
    const { in: input, out } = this.#usage
    return input === undefined && out === undefined ? null : { in: input ?? 0, out: out ?? 0 }
  }

  #count(messages: Message[]): void {
    for (const { event, data: text, isCut } of messages) {
      const data = isCut ? countsAtEnd(text) : text
      /** The first error says why; a provider may send them without end. */
      const mayFail = !this.#hasFailed && (event === 'error' || MAY_FAIL.test(data))
      if (!mayFail && !MAY_COUNT.test(data)) continue
      try {
        const value = parseJson(data)
        if (mayFail && isProviderError(value, event)) {
          this.#hasFailed = true
          this.failed(providerError(value))
        }
        /** The last report counts: APIs that report more than once send running totals. */
        Object.assign(this.#usage, usageIn(value))
      } catch {
        /** Not JSON, so it holds no counts. */
      }
    }
  }
}

const COUNTS = ['"usage":', '"usageMetadata":', '"prompt_eval_count":']

/** Returns the last counts in the end of a document, as a document of their own. Vectors and images precede them. */
function countsAtEnd(text: string): string {
  const at = Math.max(...COUNTS.map((name) => text.lastIndexOf(name)))
  if (at === -1) return ''
  const [counts] = new MessageReader(text.length + 1).read(Buffer.from(`{${text.slice(at)}`))
  return counts?.data ?? ''
}

/**
 * Returns the body unchanged, and calls `told` once with its token usage when it ends or is abandoned. Not
 * called if no usage was reported. Calls `failed` with the first error in it. Compressed or non-text bodies pass
 * unread; undeclared types are read.
 */
export function tapUsage(
  body: Readable,
  headers: Record<string, string>,
  told: (usage: TokenUsage) => void,
  failed: (error: ProviderError) => void = () => {}
): Readable {
  const isText = !/^(?:audio|image|video|font)\//.test(mediaType(headers))
  if (!isText || headers['content-encoding']) return body

  const reader = new UsageReader(failed)
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
  /** An agent that leaves ends the body; the tap's error carries no news. */
  tap.on('error', () => {})
  return body.pipe(tap)
}
