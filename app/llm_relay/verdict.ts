import type { ProviderFailureReason } from '#llm_relay/provider_failures'

/** What an agent gets in place of a provider's error, and what its user may be told. */
export interface Verdict {
  status: number
  body: string
  reason: ProviderFailureReason
  message: string
}

/** A provider's answer that is an error: its status, and the beginning of its body as text. */
export interface ErrorAnswer {
  status: number
  body: string
}

/** The most of a provider's own words that a message repeats. */
const QUOTED = 300

const BILLING =
  /insufficient[_ ](quota|credit|balance|funds)|credit balance|billing|payment required|out of credits|exceeded your current quota/i
const CONTEXT_LENGTH =
  /context_length_exceeded|maximum context length|context (window|length)|prompt is too long|input is too long/i

/** How each reason reads for a person. `name` is what the owner called the provider. */
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

/** A sentence for a person on what happened. */
export function sentence(reason: ProviderFailureReason, name: string): string {
  return SENTENCES[reason](name)
}

/**
 * What the agent gets instead of a failure: OpenClaw then takes the next model at once, and this
 * provider stays usable. With 401, 402, 403 or billing text it would turn the whole provider off for
 * minutes; after 429 and 5xx it may wait for over a minute.
 */
export function takeTheNextModel(
  reason: ProviderFailureReason,
  name: string,
  message = sentence(reason, name)
): Verdict {
  const error = { type: 'not_found_error', code: 'model_not_found', message, param: null }
  return { status: 404, body: JSON.stringify({ type: 'error', error }), reason, message }
}

/**
 * Decides on a provider's error. A conversation that is too long, and a call that the provider finds
 * wrong, go to the agent as they came, because it knows how to mend them; everything else becomes the
 * answer after which it takes the next model.
 */
export function judge({ status, body }: ErrorAnswer, name: string): Verdict {
  const reason = reasonOf(status, body)
  const said = quote(body)
  const message = sentence(reason, name)
  if (reason === 'context_length') return { status: 400, body, reason, message }
  if (reason === 'bad_request' || reason === 'not_found') {
    const detailed = said ? `${message} It says: ${said}` : message
    if (reason === 'not_found') return takeTheNextModel(reason, name, detailed)
    return { status, body, reason, message: detailed }
  }
  if (reason === 'bad_response') {
    return takeTheNextModel(reason, name, `${name} answered with an error of its own (${status}).`)
  }
  return takeTheNextModel(reason, name)
}

/** The reason in an error frame at the beginning of a stream, or null where the stream begins well. */
export function judgeFirstFrame(chunk: string, name: string): Verdict | null {
  const errorEvent = /^(?::[^\n]*\n+)*event: ?error\r?\n/.test(chunk)
  const errorData = /^(?:data: ?)?\{"(?:type":"error"|error":(?!null))/.test(chunk)
  if (!errorEvent && !errorData) return null
  const verdict = judge({ status: statusIn(chunk), body: chunk }, name)
  return verdict.status === 404 ? verdict : takeTheNextModel(verdict.reason, name)
}

function reasonOf(status: number, body: string): ProviderFailureReason {
  if (status === 402 || BILLING.test(body)) return 'billing'
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 429) return 'rate_limited'
  if ((status === 400 || status === 413) && CONTEXT_LENGTH.test(body)) return 'context_length'
  if (status === 404) return 'not_found'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 400 || status === 422) return 'bad_request'
  return 'bad_response'
}

/** Providers put the kind of an error, rather than a status, into a stream. */
function statusIn(chunk: string): number {
  if (/authentication_error|invalid_api_key|permission_error/.test(chunk)) return 401
  if (/rate_limit/.test(chunk)) return 429
  if (/not_found|model_not_found/.test(chunk)) return 404
  return 500
}

/** What the provider says in its own words, on one line. */
function quote(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: any; message?: unknown }
    const said = error?.message ?? error ?? message
    return typeof said === 'string' ? said.replace(/\s+/g, ' ').trim().slice(0, QUOTED) : ''
  } catch {
    return ''
  }
}
