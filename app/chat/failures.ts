import type { IncomingHttpHeaders } from 'node:http'
import { Exception } from '@adonisjs/core/exceptions'
import type { AgentKey } from '#agents/types'
import { E_AGENT_FAILED, E_CHAT_REFUSED, E_MODEL_RATE_LIMITED } from '#chat/errors'

/** What lately went wrong between an agent and its provider, in words for the owner. */
export interface ModelFailure {
  code: string
  message: string
  help?: string
}

/** Knows why an agent's model calls failed: the LLM relay sees it, the gateway only says "failed". */
export interface ModelFailures {
  /** The last failure of this agent's calls since then (milliseconds of the epoch), or null. */
  since(agent: AgentKey, epochMs: number): ModelFailure | null
}

/** Words of a gateway that tell its owner nothing. */
const EMPTY_WORDS = /^(internal error|agent run failed)?\.?$/i
const MAX_WORDS = 500

/** The same failure as the page and the OpenAI surface tell it. */
class E_MODEL_FAILED extends Exception {
  static override status = 502

  constructor(failure: ModelFailure) {
    super(failure.message, { code: failure.code })
    this.help = failure.help ?? E_AGENT_FAILED.help
  }
}

/** Why a run failed: what the LLM relay saw, else what the gateway says, else that it failed. */
export function runFailure(words: string | null, recorded: ModelFailure | null): Exception {
  if (recorded) return new E_MODEL_FAILED(recorded)
  const said = words?.trim().slice(0, MAX_WORDS) ?? ''
  if (EMPTY_WORDS.test(said)) return new E_AGENT_FAILED()
  return new E_AGENT_FAILED(`${E_AGENT_FAILED.message} It says: ${said}`)
}

/** A gateway's answer that is not the answer to a chat, as an error for its owner. */
export function refusal(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  recorded: () => ModelFailure | null
): Exception {
  const words = wordsOf(body)
  if (status === 429) {
    const error = new E_MODEL_RATE_LIMITED()
    const seconds = Number(headers['retry-after'])
    return Object.assign(error, seconds > 0 ? { retryAfterSec: seconds } : {})
  }
  if (status >= 400 && status < 500) {
    return new E_CHAT_REFUSED(words?.slice(0, MAX_WORDS) ?? E_CHAT_REFUSED.message, { status })
  }
  return runFailure(words, recorded())
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
