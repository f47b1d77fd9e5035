import { usageOf, type CallUsage } from '#openclaw/call_usage'
import { listIn, objectIn, textIn } from '#openclaw/gateway_fields'
import type { GatewayEvent } from '#openclaw/gateway_socket'

/** Limits in characters: ids, and the text of one message. Longer ones count as absent. */
const ID_LENGTH = 1000
const TEXT_LENGTH = 4_000_000

/** Progress of a run's answer. */
export type AnswerEvent =
  | { kind: 'text'; text: string }
  | ({ kind: 'usage' } & CallUsage)
  /** `stopped`: by its owner, whichever client asked for it. */
  | { kind: 'end'; outcome: 'done' | 'failed' | 'stopped' }

/**
 * Parses the text and the end of one run in a session. Each event carries the whole text of its message so
 * far, so a reader that joins late misses none of it.
 */
export class RunAnswer {
  /** The message being written, and its text already returned. */
  #item: string | undefined
  #shown: string

  /**
   * @param storedKey the gateway's key of the session
   * @param runId the run; null adopts the first that writes
   * @param shown text of the run's current message that the reader already has
   */
  constructor(
    protected storedKey: string,
    protected runId: string | null,
    shown = ''
  ) {
    this.#shown = shown
  }

  /** Returns the events in their order; none for an event of something else. */
  read({ event, payload }: GatewayEvent): AnswerEvent[] {
    const told = objectIn(payload)
    if (told.sessionKey !== this.storedKey) return []
    const message = objectIn(told.message)
    if (event === 'session.message') {
      const usage = message.role === 'assistant' ? usageOf(message.usage) : null
      return usage ? [{ kind: 'usage', ...usage }] : []
    }
    if (event !== 'agent' && event !== 'chat') return []
    this.runId ??= textIn(told.runId, ID_LENGTH) ?? null
    if (told.runId !== this.runId) return []
    if (event === 'agent') {
      const { text, itemId } = objectIn(told.data)
      return told.stream === 'assistant' ? this.#text(text, textIn(itemId, ID_LENGTH)) : []
    }
    if (told.state === 'final') {
      return [...this.#text(textOf(message.content)), { kind: 'end', outcome: 'done' }]
    }
    const isTimeout = told.state === 'aborted' && told.stopReason === 'timeout'
    if (told.state === 'error' || isTimeout) return [{ kind: 'end', outcome: 'failed' }]
    return told.state === 'aborted' ? [{ kind: 'end', outcome: 'stopped' }] : []
  }

  /** Readers have seen the earlier text, so a replacement that does not extend it is left to the history. */
  #text(value: unknown, itemId?: string): AnswerEvent[] {
    const text = textIn(value, TEXT_LENGTH)
    if (!text) return []
    const isNext = itemId !== undefined && this.#item !== undefined && itemId !== this.#item
    this.#item = itemId ?? this.#item
    if (isNext && !text.startsWith(this.#shown)) {
      this.#shown = text
      return [{ kind: 'text', text: `\n\n${text}` }]
    }
    if (!text.startsWith(this.#shown)) return []
    const more = text.slice(this.#shown.length)
    this.#shown = text
    return more ? [{ kind: 'text', text: more }] : []
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  const parts = listIn(content).map(objectIn)
  return parts.map(({ type, text }) => (type === 'text' ? (textIn(text) ?? '') : '')).join('')
}
