import { backOffMs, isCrashLoop, LONGEST_BACK_OFF_MS } from '#agents/state/retry_policy'
import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import { AgentUnavailable } from '#agents/state/errors'
import { InstanceEnded } from '#agents/instances/instance_failure'
import { isReason, OF_THE_OWNER, reasonOf, WITHOUT_BACK_OFF } from '#agents/state/failure_reasons'
import { agentOf, type AgentRepository } from '#agents/state/agent_repository'
import type { Attempt } from '#agents/instances/start_plan'
import type { AgentKey, AgentRow } from '#agents/types'
import { WakeAbandoned, WakeCancelled } from '#agents/state/wake'
import UserContainer from '#models/user_container'
import { E_NO_PROVIDER } from '#openclaw/errors'
import type { FailureReason } from '#runtimes/errors'

/** How long a runtime may take to abort before it is abandoned, in milliseconds. */
const GIVE_UP_MS = 10_000

/** Errors that Mosaic itself raises for a reason. An instance's exit or a driver may report the same reason. */
const OWN_FINDINGS: Partial<Record<FailureReason, readonly (new (...given: never[]) => Error)[]>> =
  {
    no_provider: [E_NO_PROVIDER],
    cancelled: [WakeCancelled, WakeAbandoned],
  }

/** As `InstanceStopper`. */
export interface InstanceEnd {
  endInstance(row: AgentRow): Promise<void>
  endUnwanted(agent: AgentKey): Promise<void>
}

/** Records why a wake failed, undoes its partial work, and schedules the next attempt. */
export class WakeFailures {
  readonly #context: AgentsContext
  readonly #rows: AgentRepository
  readonly #stopper: InstanceEnd

  constructor(context: AgentsContext, rows: AgentRepository, stopper: InstanceEnd) {
    this.#context = context
    this.#rows = rows
    this.#stopper = stopper
  }

  /** @throws AgentUnavailable while an earlier failure delays or prevents the next start */
  respectBackOff(row: AgentRow): void {
    if (row.status !== 'error' || !isReason(row.statusReason)) return
    if (isCrashLoop(row)) throw new AgentUnavailable(row.statusReason)
    if (!row.retryAt) return
    const waitMs = row.retryAt.toMillis() - this.#context.clock.now()
    /** A time too far ahead was recorded before the clock was set back. */
    if (waitMs <= 0 || waitMs > LONGEST_BACK_OFF_MS) return
    throw new AgentUnavailable(row.statusReason, { retryAfterSec: Math.ceil(waitMs / 1000) })
  }

  /** Call it under the lease. Returns the error for the wake's callers. */
  async settle(attempt: Attempt, error: unknown): Promise<AgentUnavailable> {
    const reason = reasonOf(error)
    if (error instanceof WakeAbandoned) return new AgentUnavailable(reason, { cause: error })

    const { row } = attempt
    this.#log(row, reason, error)
    /** Without the database nothing can be recorded. A caller or the reconciler resumes the attempt. */
    if (reason === 'database_away') return new AgentUnavailable(reason, { cause: error })
    await this.#takeBack(attempt)
    const delayMs = await this.#note(row, reason, !isExempt(error)).catch((cause: unknown) => {
      this.#context.logger.error(
        { err: cause, agent: agentOf(row) },
        'Could not note a failed start'
      )
      return undefined
    })
    const retryAfterSec = delayMs === undefined ? undefined : Math.ceil(delayMs / 1000)
    return new AgentUnavailable(reason, { retryAfterSec, cause: error })
  }

  /** Ends the attempt's instance; one that appears later is ended then. */
  async #takeBack({ row, driver, making }: Attempt): Promise<void> {
    if (!driver) return
    const { clock, logger } = this.#context
    const agent = agentOf(row)
    if (making) {
      const settled = making.then(
        () => true,
        () => true
      )
      const gaveUp = within(clock, GIVE_UP_MS, undefined, () => settled)
      await gaveUp.catch(() => {
        logger.error({ agent, driver: driver.name }, 'The runtime does not give up a start')
        void settled
          .then(() => this.#stopper.endUnwanted(agent))
          .catch((error: unknown) => {
            logger.error({ err: error, agent }, 'Could not end an instance that appeared late')
          })
      })
    }
    await this.#stopper.endInstance(row).catch((error: unknown) => {
      logger.error({ err: error, agent }, 'Could not end the instance of a failed start')
    })
  }

  async #note(row: AgentRow, reason: FailureReason, delays: boolean): Promise<number | undefined> {
    const gone = { containerId: null, endpoint: null, startedAt: null, statusReason: reason }
    await row.dropGatewayToken()
    if (!delays && reason === 'cancelled') {
      const job = (await this.#isJobDue(row)) && { nextJobAt: null }
      const stopped = { status: 'stopped', desired: 'stopped', retryAt: null } as const
      await this.#rows.save(row, { ...gone, ...stopped, ...job })
      return undefined
    }
    if (!delays) {
      await this.#rows.save(row, { ...gone, status: 'error', retryAt: null })
      return undefined
    }
    const { clock, random } = this.#context
    const failureCount = row.failureCount + 1
    const delayMs = backOffMs(failureCount, random)
    const retryAt = clock.now() + delayMs
    await this.#rows.save(row, { ...gone, status: 'error', failureCount, retryAt })
    return delayMs
  }

  /** Whether a scheduled job would wake the agent again at once, which would undo the cancellation. */
  async #isJobDue(row: AgentRow): Promise<boolean> {
    if (!(row instanceof UserContainer) || !row.nextJobAt) return false
    const { clock, settings } = this.#context
    const aheadMs = (await settings.get('agents.wakeAheadSec')) * 1000
    return row.nextJobAt.toMillis() <= clock.now() + aheadMs
  }

  /** Failures that the owner caused are logged without a stack. */
  #log(row: AgentRow, reason: FailureReason, error: unknown): void {
    const details = { reason, agent: agentOf(row) }
    const { logger } = this.#context
    if (OF_THE_OWNER.has(reason)) logger.info(details, 'An agent did not start')
    else logger.warn({ err: error, ...details }, 'An agent did not start')
  }
}

/**
 * Whether a start that ended with this error neither counts as a failure nor delays the next one. An agent decides
 * how its instance exits, so a reason that the exit names counts like any failure.
 */
function isExempt(error: unknown): boolean {
  const reason = reasonOf(error)
  if (!WITHOUT_BACK_OFF.has(reason) || error instanceof InstanceEnded) return false
  return OWN_FINDINGS[reason]?.some((found) => error instanceof found) ?? true
}
