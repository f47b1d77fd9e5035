import type { IncomingHttpHeaders } from 'node:http'
import { Exception } from '@adonisjs/core/exceptions'
import { cut } from '#text/cut'
import type {
  ProviderFailure,
  ProviderFailureReason,
  ProviderFailures,
} from '#llm_relay/provider_failures'
import { E_AGENT_FAILED, E_CHAT_REFUSED, E_MODEL_RATE_LIMITED } from '#chat/errors'

/** Knows why an agent's model calls failed: the LLM relay sees it, the gateway only says "failed". */
export type ModelFailures = Pick<ProviderFailures, 'last'>

/** What the LLM relay saw go wrong since a turn began, or null. */
export type Recorded = () => ProviderFailure | null

/** Words of a gateway that tell its owner nothing. */
const EMPTY_WORDS = /^(internal error|agent run failed)?\.?$/i
const MAX_WORDS = 500

const CHECK_PROVIDER = 'Open your providers in the settings, and test the connection.'

/** What the owner of an agent can do about a provider that failed. */
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

/** A provider's failure as the page and the OpenAI surface tell it: `E_MODEL_<REASON>`. */
export class ModelFailed extends Exception {
  static override status = 502

  constructor(readonly failure: Omit<ProviderFailure, 'at'>) {
    const { reason, message } = failure
    super(message, { code: `E_MODEL_${reason.toUpperCase()}` })
    this.help = NEXT_STEP[reason]
  }
}

/** Why a run failed: what the LLM relay saw, else what the gateway says, else that it failed. */
export function runFailure(words: string | null, recorded: ProviderFailure | null): Exception {
  if (recorded) return new ModelFailed(recorded)
  const said = cut(words?.trim() ?? '', MAX_WORDS)
  if (EMPTY_WORDS.test(said)) return new E_AGENT_FAILED()
  return new E_AGENT_FAILED(`${E_AGENT_FAILED.message} It says: ${said}`)
}

/** Failures that a gateway may pass on as its own refusal of the request. */
const OF_THE_REQUEST = new Set<ProviderFailureReason>(['bad_request', 'context_length'])

/**
 * A gateway's answer that is not the answer to a chat, as an error for its owner. What the LLM relay saw goes
 * before what the gateway makes of it: it turns each failure into a 404. Only a 400 is the gateway's own.
 */
export function refusal(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  recorded: Recorded
): Exception {
  const words = wordsOf(body)
  const failure = recorded()
  if (failure && (status !== 400 || OF_THE_REQUEST.has(failure.reason))) {
    return runFailure(words, failure)
  }
  if (status === 429) {
    const error = new E_MODEL_RATE_LIMITED()
    const seconds = Number(headers['retry-after'])
    return Object.assign(error, seconds > 0 ? { retryAfterSec: seconds } : {})
  }
  /** A model's 401 is no word about the caller's token. */
  if (status >= 400 && status < 500 && status !== 401) {
    return new E_CHAT_REFUSED(words ? cut(words, MAX_WORDS) : E_CHAT_REFUSED.message, { status })
  }
  return runFailure(words, null)
}

/** The message of an error as OpenAI writes it, or null. */
export function wordsOf(body: string): string | null {
  try {
    const message: unknown = JSON.parse(body)?.error?.message
    return typeof message === 'string' ? message : null
  } catch {
    return null
  }
}
