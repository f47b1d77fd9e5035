import { parseJson } from '#bounded/json'
import type { AnthropicError } from '#exceptions/anthropic_error'
import type { OpenAiError } from '#exceptions/openai_error'

/** How one of OpenAI's two chat APIs encodes a stream. Events are read as Latin-1: one character for each byte. */
export interface Dialect {
  /** Whether these events only open an answer: it has no content yet and may still fail. */
  isOpening(events: string): boolean
  /** Returns the offset of a failed run's event, or -1. */
  failureAt(events: string): number
  /** Extracts the failed run's own message from the event's JSON. */
  wordsOf(event: string): unknown
  /** Encodes the last events of a failed answer. */
  failed(error: OpenAiError): Buffer
  /** Adds fields to a whole answer that clients require and a gateway leaves out. */
  completed?(answer: Buffer): Buffer
}

const DONE = 'data: [DONE]\n\n'

/** Marks of an answer that has content, or ends. */
const SAID = /"content":"|"tool_calls"|"finish_reason":"|\[DONE\]/

/** Occurs in raw JSON only where an object begins with "error": inside strings the quotes are escaped. */
const ERROR_FRAME = '{"error"'

/** `POST /v1/chat/completions`. */
export const COMPLETIONS: Dialect = {
  isOpening: (events) => !SAID.test(events),
  failureAt: (events) => events.indexOf(ERROR_FRAME),
  wordsOf: (event) => dataOf(event)?.error?.message,
  failed: (error) => Buffer.from(`data: ${JSON.stringify(error)}\n\n${DONE}`),
}

/** Events that precede the first word. */
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
    [...events.matchAll(/^event: (\S+)$/gm)].every(([, name]) => OPENINGS.has(name)),
  failureAt: (events) => events.indexOf(FAILED),
  wordsOf: (event) => dataOf(event)?.response?.error?.message,
  failed({ error }) {
    const { code, message } = error
    const response = { object: 'response', status: 'failed', output: [], error: { code, message } }
    const data = JSON.stringify({ type: 'response.failed', response })
    return Buffer.from(`${FAILED}data: ${data}\n\n${DONE}`)
  },
  completed: withAnnotations,
}

/** Encodes the last event of a failed answer of `POST /v1/messages`. */
export const failedMessage = (error: AnthropicError) =>
  Buffer.from(`event: error\ndata: ${JSON.stringify(error)}\n\n`)

/** OpenClaw 2026.9.6 gives text no annotations, which OpenAI's always has. */
function withAnnotations(answer: Buffer): Buffer {
  try {
    const response: any = parseJson(answer.toString())
    for (const item of response.output ?? []) {
      for (const part of item?.content ?? []) {
        if (part?.type === 'output_text') part.annotations ??= []
      }
    }
    return Buffer.from(JSON.stringify(response))
  } catch {
    return answer
  }
}

function dataOf(event: string): any {
  const line = event.split('\n').find((text) => text.startsWith('data: ') || text.startsWith('{'))
  try {
    return parseJson(line!.replace(/^data: /, ''))
  } catch {
    return null
  }
}
