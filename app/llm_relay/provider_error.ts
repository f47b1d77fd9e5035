import { parseJson } from '#bounded/json'
import { retryAfter } from '#llm_relay/retry_after'
import { cut } from '#text/cut'

/** A service's error in a common shape. */
export interface ProviderError {
  /** Lower-case codes, types and reasons: `invalid_api_key`, `resource_exhausted`, `1113`. */
  codes: string[]
  /** The text for people, on one line, at most MESSAGE_LENGTH characters. Empty if there is none. */
  message: string
  /** The HTTP status named inside the error, as errors within a stream do. */
  status: number | null
  /** Seconds until the service accepts calls again, if the error names them. */
  retryAfterSec?: number
}

/** Long enough for sentences, too short for a whole prompt echoed by a service. */
const MESSAGE_LENGTH = 2000

/** Limit of nested errors: proxies report their upstream's error as text. */
const DEPTH = 8

type Fields = Record<string, unknown>

/**
 * Parses an error from the start of a body: JSON of any service, or plain text. Returns an empty error for
 * anything else, such as an HTML page.
 */
export function parseProviderError(body: string): ProviderError {
  const value = parsed(body)
  if (value !== undefined) return providerError(value)
  const isMarkup = body.trimStart().startsWith('<') || body.trimStart().startsWith('{')
  return { codes: [], message: isMarkup ? '' : oneLine(body), status: null }
}

/** Parses an error from a decoded document or event. */
export function providerError(value: unknown): ProviderError {
  const found: Found = { codes: new Set(), messages: new Set(), status: null }
  collect(value, found, DEPTH)
  const message = oneLine([...found.messages].join(' '))
  const { status, retryAfterSec } = found
  return { codes: [...found.codes], message, status, ...(retryAfterSec && { retryAfterSec }) }
}

/**
 * Returns whether an event or document is an error rather than an answer. `event` is its name in a stream:
 * some services mark errors only there and leave the data unmarked.
 */
export function isProviderError(value: unknown, event: string | null): boolean {
  if (event === 'error') return true
  /** Google wraps a document in a list. */
  const told = fields(Array.isArray(value) ? value[0] : value)
  if (!told) return false
  return (
    (hasAnswer(told) ? isFailing(told.error) : isTold(told.error)) ||
    told.error === true ||
    told.type === 'error' ||
    told.object === 'error' ||
    /** Z.AI and Cloudflare. */
    (told.success === false && ('code' in told || isTold(told.errors))) ||
    /** Baidu. */
    isFailed(told.error_code) ||
    /** MiniMax, which also reports success there. */
    isFailed(fields(told.base_resp)?.status_code) ||
    /** OpenAI's Responses API. */
    isTold(fields(told.response)?.error) ||
    /** OpenRouter. */
    isTold(firstChoice(told)?.error)
  )
}

interface Found {
  codes: Set<string>
  messages: Set<string>
  status: number | null
  retryAfterSec?: number
}

function collect(value: unknown, found: Found, depth: number): void {
  if (depth === 0) return
  if (typeof value === 'string') return collectText(value, found, depth)
  if (Array.isArray(value)) return collect(value[0], found, depth - 1)
  const told = fields(value)
  if (!told) return

  for (const name of ['code', 'type', 'status', 'reason', 'statusCode', '__type', 'error_code']) {
    collectCode(told[name], found)
  }
  /** The first non-empty one: `detail` is FastAPI's, the others are Z.AI's, Baidu's and MiniMax's. */
  const message = ['message', 'Message', 'msg', 'detail', 'error_msg', 'status_msg']
    .map((name) => told[name])
    .find(isTold)
  if (message !== undefined) collect(message, found, depth - 1)

  for (const inner of [
    told.error,
    told.innererror,
    fields(told.response)?.error,
    firstChoice(told)?.error,
    /** MiniMax; other services use its codes for something else. */
    fields(told.base_resp),
    /** Cloudflare. */
    Array.isArray(told.errors) ? told.errors[0] : null,
    /** OpenRouter: the error of the service behind it. */
    fields(told.metadata)?.raw,
  ]) {
    if (isTold(inner)) collect(inner, found, depth - 1)
  }
  /** Google. Reasons only: the accompanying texts are links and repetitions. */
  for (const list of [told.details, told.errors]) {
    if (!Array.isArray(list)) continue
    for (const entry of list.slice(0, 10)) {
      const { reason, retryDelay } = fields(entry) ?? {}
      collectCode(reason, found)
      /** Gemini sends no header: `google.rpc.RetryInfo`, a duration such as `38.8s`. */
      const delay = typeof retryDelay === 'string' && /^([\d.]+)s$/.exec(retryDelay)
      if (delay) found.retryAfterSec ??= retryAfter(delay[1])
    }
  }
}

function collectCode(code: unknown, found: Found): void {
  if (typeof code !== 'string' && typeof code !== 'number') return
  const text = String(code).trim().toLowerCase().slice(0, 100)
  if (text === '') return
  /** AWS puts a namespace before a type. */
  found.codes.add(text.slice(text.lastIndexOf('#') + 1))
  const status = Number(text)
  if (Number.isInteger(status) && status >= 400 && status < 600) found.status ??= status
}

/** Collects a message, or another service's error serialized as text. */
function collectText(text: string, found: Found, depth: number): void {
  const inner = /^\s*[[{]/.test(text) ? parsed(text) : undefined
  if (inner !== undefined) return collect(inner, found, depth - 1)
  found.messages.add(oneLine(text))
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Services with numeric error codes send 0 for success. */
function isFailed(code: unknown): boolean {
  return (
    (typeof code === 'number' && code !== 0) || (typeof code === 'string' && /[1-9]/.test(code))
  )
}

/** Languages without empty values send an error of zeros and empty texts beside a good answer. */
function isFailing(error: unknown): boolean {
  const told = fields(error)
  if (!told) return isTold(error)
  return Object.values(told).some(
    (value) => isTold(value) || value === true || (typeof value === 'number' && value !== 0)
  )
}

const hasAnswer = (told: Fields) =>
  ['choices', 'content', 'output', 'candidates', 'data'].some((name) => isTold(told[name]))

function isTold(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== ''
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function firstChoice(told: Fields): Fields | null {
  return Array.isArray(told.choices) ? fields(told.choices[0]) : null
}

function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

function oneLine(text: string): string {
  return cut(text, MESSAGE_LENGTH).replace(/\s+/g, ' ').trim()
}
