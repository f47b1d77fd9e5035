import type { IncomingHttpHeaders } from 'node:http'
import { Exception } from '@adonisjs/core/exceptions'
import { parseJson } from '#bounded/json'
import { quotes } from '#exceptions/logged_error'
import type { AgentName } from '#openclaw/agent_name'
import { cut } from '#text/cut'
import type {
  ProviderFailure,
  ProviderFailureReason,
  ProviderFailures,
} from '#llm_relay/provider_failures'
import { E_AGENT_FAILED, E_CHAT_REFUSED, E_MODEL_RATE_LIMITED } from '#chat/errors'

/**
 * Source of the reasons why an agent's model calls failed: the LLM relay sees them, the gateway only reports
 * "failed".
 */
export type ModelFailures = Pick<ProviderFailures, 'find'>

/** A gateway reported that a run failed. `told` says why, given what the LLM relay has seen since the turn began. */
export class RunFailed extends Exception {
  constructor(readonly told: (recorded: ProviderFailure | null) => Exception) {
    super('The run failed')
  }
}

/** Returns what to tell an agent's owner about an error of their turn, which began at `since`. */
export async function explained(
  error: unknown,
  failures: ModelFailures,
  agent: AgentName,
  since: Date
): Promise<unknown> {
  return error instanceof RunFailed ? error.told(await failures.find(agent, since)) : error
}

/** Gateway messages without useful information for the owner. */
const EMPTY_WORDS = /^(internal error|agent run failed)?\.?$/i
const MAX_WORDS = 500

const CHECK_PROVIDER = 'Open your providers in the settings, and test the connection.'

/** What an agent's owner can do about a failed provider. */
const NEXT_STEP: Record<ProviderFailureReason, string> = {
  unauthorized: 'Enter its key again in the settings, under your providers.',
  billing: 'Add credit at the provider, or choose another model in the settings.',
  rate_limited: 'Wait a little, or choose another model in the settings.',
  not_found: 'Check the model and the address in the settings, under your providers.',
  bad_request: 'Choose another model in the settings, or ask in another way.',
  context_length: 'Begin a new conversation, or choose a model that takes more.',
  timeout: 'Try again. If it goes on, choose another model in the settings.',
  unreachable: CHECK_PROVIDER,
  blocked_address: 'Ask an admin to allow its network, or use another address.',
  bad_response: 'Try again. If it goes on, choose another model in the settings.',
  inactive: 'Switch it on in the settings, or choose another model.',
}

/** A provider's failure as reported to the page and the OpenAI API: `E_MODEL_<REASON>`. */
export class ModelFailed extends Exception {
  static override status = 502

  constructor(readonly failure: Omit<ProviderFailure, 'at'>) {
    const { reason, message } = failure
    super(message, { code: `E_MODEL_${reason.toUpperCase()}` })
    this.help = NEXT_STEP[reason]
    quotes(this)
  }
}

/** Returns why a run failed: the LLM relay's record, else the gateway's message, else a generic error. */
export function runFailure(words: string | null, recorded: ProviderFailure | null): Exception {
  if (recorded) return new ModelFailed(recorded)
  const said = cut(words?.trim() ?? '', MAX_WORDS)
  if (EMPTY_WORDS.test(said)) return new E_AGENT_FAILED()
  return quotes(new E_AGENT_FAILED(`${E_AGENT_FAILED.message} It says: ${said}`))
}

/** Failures that a gateway may report as its own refusal of the request. */
const OF_THE_REQUEST = new Set<ProviderFailureReason>(['bad_request', 'context_length'])

/**
 * Converts a gateway's non-200 response into an error for the owner. The LLM relay's record takes precedence,
 * because the gateway turns every failure into a 404; only a 400 is the gateway's own.
 */
export function refusal(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  failure: ProviderFailure | null
): Exception {
  const words = wordsOf(body)
  if (failure && (status !== 400 || OF_THE_REQUEST.has(failure.reason))) {
    return runFailure(words, failure)
  }
  if (status === 429) {
    const error = new E_MODEL_RATE_LIMITED()
    const seconds = Number(headers['retry-after'])
    return Object.assign(error, seconds > 0 ? { retryAfterSec: seconds } : {})
  }
  /** A model's 401 says nothing about the caller's token. */
  if (status >= 400 && status < 500 && status !== 401) {
    const said = words ? cut(words, MAX_WORDS) : E_CHAT_REFUSED.message
    return quotes(new E_CHAT_REFUSED(said, { status }))
  }
  return runFailure(words, null)
}

/** Returns the message of an OpenAI-style error, or null. */
export function wordsOf(body: string): string | null {
  try {
    const answer = parseJson(body) as { error?: { message?: unknown } } | null
    const message = answer?.error?.message
    return typeof message === 'string' ? message : null
  } catch {
    return null
  }
}
