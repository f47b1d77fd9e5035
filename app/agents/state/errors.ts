import { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'
import { REASONS } from '#agents/state/failure_reasons'
import type { FailureReason } from '#runtimes/errors'

/**
 * The agent does not run, and this call does not start it. The code is `E_AGENT_<REASON>`; message and
 * help are for the owner, the cause is for the log.
 */
export class AgentUnavailable extends Exception {
  static override status = 503

  /** Seconds until the next call may start it again, if there is a wait. */
  readonly retryAfterSec?: number

  constructor(
    readonly reason: FailureReason,
    options: { retryAfterSec?: number; cause?: unknown } = {}
  ) {
    const { message, help } = REASONS[reason]
    super(message, { code: `E_AGENT_${reason.toUpperCase()}`, cause: options.cause })
    this.help = help
    if (options.retryAfterSec !== undefined) this.retryAfterSec = options.retryAfterSec
  }
}

/** Too many pages are subscribed to one agent's events, or to the fleet's. */
export class E_TOO_MANY_WATCHERS extends CodedError {
  static override status = 429
  static override message = 'Too many open pages receive live updates.'
  static override help = 'Close some of them, then reload this one.'
}
