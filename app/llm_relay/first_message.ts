import { Readable } from 'node:stream'
import { parseJson } from '#bounded/json'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { HeldBytes } from '#bounded/held_bytes'
import { MessageReader, type Message } from '#llm_relay/message_reader'
import {
  isProviderError,
  parseProviderError,
  providerError,
  type ProviderError,
} from '#llm_relay/provider_error'

/** Errors take a few hundred bytes, so anything longer than this is an answer. */
const LIMIT = 64 * 1024

/** The opening events of a stream may be longer: OpenAI's repeat the instructions and tools of the call. */
const OPENING_LIMIT = 512 * 1024

/** What opening events take beyond the first limit, of one agent's answers and of all. Past it, an answer begins. */
const allOpenings = new HeldBytes({ ofOne: 8 * 1024 * 1024, ofAll: 64 * 1024 * 1024 })

export interface Beginning {
  /** The error at the start of the answer, or null if there is none. */
  error: ProviderError | null
  /** Whether the response is no answer: it ended without any message, or is a web page. */
  isEmpty: boolean
  /** The whole body, including the part already read. */
  body: Readable
}

/**
 * Waits for the first meaningful message of an answer, skipping comments, pings and events that only open a
 * stream: services send those before they find that they are overloaded, or the account out of credit. Until then the response
 * can still be replaced, and half a message is useless. Text in no known framing is passed on at its first
 * byte, and anything else after `holdMs`: a slow model keeps its line open with comments.
 *
 * @param holder The agent that gets the answer.
 * @throws the body's own error
 */
export function beginningOf(
  body: Readable,
  holdMs: number,
  holder = '',
  held = allOpenings
): Promise<Beginning> {
  const reader = new MessageReader(LIMIT)
  const read = new GrowingBuffer()
  let isLate = false
  let taken = 0
  const { promise, resolve, reject } = Promise.withResolvers<Beginning>()

  /** Detach at once: bytes that are put back would be read again. */
  const stopReading = () => {
    clearTimeout(hold)
    body.off('readable', onReadable)
    body.off('end', onEnd)
    body.off('error', onError)
  }
  const release = () => held.give(holder, taken)
  /** What was read counts until the answer ends: a slow agent leaves it unread. */
  const answerWith = (beginning: Beginning) => {
    beginning.body.once('close', release)
    resolve(beginning)
  }
  const begins = (error: ProviderError | null) => {
    stopReading()
    const start = read.take()
    body.unshift(start)
    answerWith({ error, isEmpty: isPage(start), body })
  }
  /** Whether there is room for what was read. */
  const hasRoom = (size: number) => {
    if (read.size < LIMIT) return true
    if (reader.framing !== 'events' || read.size >= OPENING_LIMIT) return false
    if (!held.take(holder, size)) return false
    taken += size
    return true
  }
  const onReadable = () => {
    for (;;) {
      const chunk = body.read() as Buffer | null
      if (!chunk) break
      read.add(chunk)
      const error = errorAmong(reader.read(chunk))
      const isOver = isLate || reader.framing === 'other' || !hasRoom(chunk.length)
      if (error !== undefined || isOver) return begins(error ?? null)
    }
  }
  const onEnd = () => {
    stopReading()
    const error = errorAmong(reader.end()) ?? null
    const whole = read.take()
    const isEmpty = reader.messages === 0 && (reader.framing !== 'other' || isPage(whole))
    answerWith({ error, isEmpty, body: Readable.from([whole], { objectMode: false }) })
  }
  const onError = (error: Error) => {
    stopReading()
    release()
    reject(error)
  }
  const hold = setTimeout(() => {
    isLate = true
    if (read.size > 0) begins(null)
  }, holdMs)

  body.on('readable', onReadable)
  body.once('end', onEnd)
  body.once('error', onError)
  return promise
}

/** Pages come from a sign-in or a proxy, whatever type they declare. */
const isPage = (start: Buffer) => /^\s*</.test(start.toString('latin1', 0, 100))

/**
 * Checks the first meaningful message: returns its error, null if it is none, or undefined if no message has
 * come.
 */
function errorAmong(messages: Message[]): ProviderError | null | undefined {
  for (const { event, data, isCut } of messages) {
    if (isCut) continue
    const value = parsed(data)
    if (isProviderError(value, event)) {
      return value === null ? parseProviderError(data) : providerError(value)
    }
    if (event !== 'ping' && !isOpening(value)) return null
  }
  return undefined
}

/** Types of events without any output. OpenAI's Responses API always opens with its own, Anthropic with another. */
const OPENING_TYPES = new Set<unknown>([
  'ping',
  'message_start',
  'response.created',
  'response.queued',
  'response.in_progress',
])

type Fields = Record<string, any>

/** Returns whether an event has no output yet, such as a chunk that only names the role. */
function isOpening(value: unknown): boolean {
  const { type, choices } = (value ?? {}) as Fields
  if (OPENING_TYPES.has(type)) return true
  return Array.isArray(choices) && choices.every(isEmptyChoice)
}

function isEmptyChoice(choice: Fields | null): boolean {
  const { delta, finish_reason: finished } = choice ?? {}
  if (typeof delta !== 'object' || delta === null || finished) return false
  return Object.entries(delta).every(
    ([name, value]) =>
      name === 'role' || value === null || value === '' || (Array.isArray(value) && !value.length)
  )
}

function parsed(data: string): unknown {
  try {
    return parseJson(data)
  } catch {
    return null
  }
}
