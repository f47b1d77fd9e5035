import { CALL_FAILURES, type LlmAdapter, type ServiceError } from '#llm/contract'
import { failureReason } from '#llm_relay/failure_reason'
import { isMisread } from '#llm_relay/openclaw_words'
import { parseProviderError, type ProviderError } from '#llm_relay/provider_error'
import { cut } from '#text/cut'
import type { ProviderFailureReason } from '#llm_relay/provider_failures'

/** The response an agent gets in place of a provider's error, and the message its user may see. */
export interface Verdict {
  status: number
  body: string
  reason: ProviderFailureReason
  message: string
  /** Seconds until the provider accepts calls again, if the error names them. */
  retryAfterSec?: number
}

/** A provider's error response: its status, and the start of its body as text. */
export interface ErrorAnswer {
  status: number
  body: string
}

/** Characters of a provider's own message that are quoted. */
const QUOTED = 300

/** Messages for people, by reason. `name` is the owner's name of the provider. */
const SENTENCES: Record<ProviderFailureReason, (name: string) => string> = {
  unauthorized: (name) => `The key of ${name} was refused.`,
  billing: (name) => `The account behind ${name} has no credit left.`,
  rate_limited: (name) => `${name} takes no more calls for now: its rate limit is reached.`,
  not_found: (name) => `${name} does not know this model or address.`,
  bad_request: (name) => `${name} refused the call.`,
  context_length: (name) => `The conversation is too long for this model of ${name}.`,
  timeout: (name) => `${name} did not answer in time.`,
  unreachable: (name) => `${name} cannot be reached.`,
  blocked_address: (name) => `The address of ${name} leads to a network that Mosaic does not call.`,
  bad_response: (name) => `${name} answered with an error of its own.`,
  inactive: (name) => `${name} is switched off.`,
}

/** Returns a sentence for people about the failure. */
export function sentence(reason: ProviderFailureReason, name: string): string {
  return SENTENCES[reason](name)
}

/**
 * Returns the agent's response to a failure: OpenClaw then tries the next model at once, and this provider
 * stays usable. For 401, 402, 403 or billing text it would disable the whole provider for minutes; after 429
 * and 5xx it may wait over a minute. `message` is for its user; the agent gets a provider's own words only if
 * it cannot misread them.
 */
export function takeTheNextModel(
  reason: ProviderFailureReason,
  name: string,
  message = sentence(reason, name)
): Verdict {
  const told = isMisread(message) ? sentence(reason, name) : message
  const error = { type: 'not_found_error', code: 'model_not_found', message: told, param: null }
  return { status: 404, body: JSON.stringify({ type: 'error', error }), reason, message }
}

/** Judges a provider's error response. The adapter may interpret it first. */
export function judge(
  answer: ErrorAnswer,
  name: string,
  adapter: Pick<LlmAdapter, 'readError'> = {}
): Verdict {
  const { status, body } = answer
  const error = parseProviderError(body)
  const told = readBy(adapter, answer)
  const read = told ? { ...error, message: told.message ?? error.message } : error
  const verdict = judgeError(read, name, status, body, told?.reason)
  return error.retryAfterSec ? { ...verdict, retryAfterSec: error.retryAfterSec } : verdict
}

/** Ignores an adapter that throws or returns an unknown reason. */
function readBy(adapter: Pick<LlmAdapter, 'readError'>, answer: ErrorAnswer): ServiceError | null {
  try {
    const told = adapter.readError?.(answer) ?? null
    return told && CALL_FAILURES.includes(told.reason) ? told : null
  } catch {
    return null
  }
}

/**
 * Judges a provider's error; without a status, one inside an answer. An overlong conversation is reported in
 * words the agent knows, and an invalid call as the provider put it, because the agent can repair both.
 * Everything else becomes the response that makes it try the next model.
 */
export function judgeError(
  error: ProviderError,
  name: string,
  status: number | null = null,
  body: string | null = null,
  reason: ProviderFailureReason = failureReason(status, error)
): Verdict {
  const said = cut(error.message, QUOTED)
  const message = sentence(reason, name)
  const detailed = said ? `${message} It says: ${said}` : message

  if (reason === 'context_length') {
    const words = said && !isMisread(said) ? said : message
    return refuse('context_length_exceeded', `context_length_exceeded: ${words}`, message)
  }
  if (reason === 'bad_request') {
    if (isMisread(body ?? error.message)) return refuse('invalid_request', message, detailed)
    const passed = refuse('invalid_request', said || message, detailed)
    return body && status ? { ...passed, status: status === 422 ? 422 : 400, body } : passed
  }
  if (reason === 'not_found') return takeTheNextModel(reason, name, detailed)
  if (reason === 'bad_response' && status) {
    return takeTheNextModel(reason, name, `${name} answered with an error of its own (${status}).`)
  }
  return takeTheNextModel(reason, name)
}

/** Returns 400, so that the agent blames the call and not the provider. */
function refuse(
  code: 'context_length_exceeded' | 'invalid_request',
  told: string,
  message: string
): Verdict {
  const reason = code === 'invalid_request' ? 'bad_request' : 'context_length'
  const error = { type: 'invalid_request_error', code, message: told, param: null }
  return { status: 400, body: JSON.stringify({ type: 'error', error }), reason, message }
}
