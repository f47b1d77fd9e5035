import type { OpenAiError } from '#exceptions/openai_error'

/** How one of OpenAI's two chat APIs writes a stream. */
export interface Dialect {
  /** Whether these events only open an answer: nothing of it is said yet, and it may still fail. */
  isOpening(events: Buffer): boolean
  /** Where the event of a failed run begins, or -1. */
  failureAt(events: Buffer): number
  /** What the failed run says of itself: the event's JSON gives it. */
  wordsOf(event: string): unknown
  /** The last events of an answer that failed. */
  failed(error: OpenAiError): Buffer
}

const DONE = 'data: [DONE]\n\n'

/** Signs of an answer that says something, or ends. */
const SAID = ['"content":"', '"tool_calls"', '"finish_reason":"', '[DONE]']

/** Stands in raw JSON only where an object really begins with "error": inside a text the quotes are escaped. */
const ERROR_FRAME = '{"error"'

/** `POST /v1/chat/completions`. */
export const COMPLETIONS: Dialect = {
  isOpening: (events) => !SAID.some((sign) => events.includes(sign)),
  failureAt: (events) => events.indexOf(ERROR_FRAME),
  wordsOf: (event) => dataOf(event)?.error?.message,
  failed: (error) => Buffer.from(`data: ${JSON.stringify(error)}\n\n${DONE}`),
}

/** The events that come before the first word. */
const OPENINGS = new Set([
  'response.created',
  'response.in_progress',
  'response.output_item.added',
  'response.content_part.added',
])

const FAILED = 'event: response.failed\n'

/** `POST /v1/responses`. */
export const RESPONSES: Dialect = {
  isOpening: (events) =>
    [...events.toString().matchAll(/^event: (\S+)$/gm)].every(([, name]) => OPENINGS.has(name)),
  failureAt: (events) => events.indexOf(FAILED),
  wordsOf: (event) => dataOf(event)?.response?.error?.message,
  failed({ error }) {
    const { code, message } = error
    const response = { object: 'response', status: 'failed', output: [], error: { code, message } }
    const data = JSON.stringify({ type: 'response.failed', response })
    return Buffer.from(`${FAILED}data: ${data}\n\n${DONE}`)
  },
}

function dataOf(event: string): any {
  const line = event.split('\n').find((text) => text.startsWith('data: ') || text.startsWith('{'))
  try {
    return JSON.parse(line!.replace(/^data: /, ''))
  } catch {
    return null
  }
}
