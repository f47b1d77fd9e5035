import type { AgentsContext } from '#agents/context'
import { agentOf, instanceName, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentRow, GatewayAccess } from '#agents/types'
import UserContainer from '#models/user_container'
import { E_GATEWAY_FAILED } from '#openclaw/errors'

/** How often a draining gateway is polled, in milliseconds. A call takes 10. */
const ASK_AGAIN_MS = 250

/**
 * How late a job of an idle gateway may be. OpenClaw postpones late jobs by two minutes, but where its scheduler
 * failed to start, as it may on an overloaded machine, they never run.
 */
const MOST_LATE_MS = 5 * 60_000

/**
 * The result of an attempt to close an idle gateway. `closed`: it was idle and now refuses work.
 * `stuck`: the same, but its scheduler missed a job, and only a start helps. `working`: it has work, possibly in
 * the background. `due`: its schedule starts a job soon. `silent`: it did not answer.
 */
export type Quietness = 'closed' | 'stuck' | 'working' | 'due' | 'silent'

/**
 * The result of a drain. `idle`: there was no work. `ended`: the work ended in time. `late`: it goes on, and
 * the stop will cut it off.
 */
type Drained = 'idle' | 'ended' | 'late'

type DrainContext = Pick<
  AgentsContext,
  'clock' | 'gatewayControl' | 'logger' | 'settings' | 'beforeSleep'
>

/**
 * Closes and reopens gateways. Only the gateway knows whether its agent is working: it sees runs, jobs
 * and background shells. A closed gateway starts no work that a stop could cut off. Call it under the
 * lease.
 *
 * @throws LeaseLost
 */
export class GatewayDrain {
  readonly #context: DrainContext
  readonly #rows: AgentRepository

  constructor(context: DrainContext, rows: AgentRepository) {
    this.#context = context
    this.#rows = rows
  }

  /** Lets the agent be read before its gateway closes. A suspended agent was read before, and cannot answer. */
  async beforeSleep(row: AgentRow): Promise<void> {
    const { beforeSleep } = this.#context
    if (!beforeSleep || row.status === 'suspended') return
    await this.#ask(row, (gateway) => beforeSleep(agentOf(row), gateway))
  }

  /** Closes the gateway of an agent that is idle and has no job due soon. */
  async closeIfQuiet(row: AgentRow): Promise<Quietness> {
    const { gatewayControl, settings, clock } = this.#context
    const closed = await this.#ask(row, async (gateway) => {
      const nextJobAt = await this.#noteNextJob(row, gateway)
      const aheadMs = (await settings.get('agents.wakeAheadSec')) * 1000
      const lateMs = nextJobAt === null ? -Infinity : clock.now() - nextJobAt
      const isStuck = lateMs > MOST_LATE_MS
      if (!isStuck && lateMs >= -aheadMs) return 'due'
      if ((await gatewayControl.close(gateway, { drain: false })) !== 'closed') return 'working'
      return isStuck ? 'stuck' : 'closed'
    })
    return closed ?? 'silent'
  }

  /**
   * Refuses new work and waits until current work ends, for at most `graceMs`. Returns false if the
   * gateway does not answer.
   *
   * @throws the signal's reason
   */
  async drain(row: AgentRow, graceMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = this.#context.clock.elapsed() + graceMs
    await this.beforeSleep(row)
    const answered = await this.#ask(row, async (gateway) => {
      await this.#noteNextJob(row, gateway)
      const drained = await this.#drained(row, gateway, { deadline, signal })
      if (drained === 'ended' && this.#context.beforeSleep) {
        /** A closed gateway answers no reads, and the work that has ended is still to be read. */
        await this.#context.gatewayControl.reopen(gateway)
        await this.#context.beforeSleep(agentOf(row), gateway)
        await this.#drained(row, gateway, { deadline, signal })
      }
      return true
    })
    return answered ?? false
  }

  async #drained(
    row: AgentRow,
    gateway: GatewayAccess,
    { deadline, signal }: { deadline: number; signal?: AbortSignal }
  ): Promise<Drained> {
    const { gatewayControl, clock, logger } = this.#context
    let drained: Drained = 'idle'
    while ((await gatewayControl.close(gateway, { drain: true })) !== 'closed') {
      if (clock.elapsed() >= deadline) {
        logger.info({ agent: instanceName(row) }, 'Stopping an agent in the middle of its work')
        return 'late'
      }
      drained = 'ended'
      await clock.wait(ASK_AGAIN_MS, signal)
    }
    return drained
  }

  /** Accepts work again. A gateway that misses the call reopens by itself within two minutes. */
  async reopen(row: AgentRow): Promise<void> {
    await this.#ask(row, (gateway) => this.#context.gatewayControl.reopen(gateway))
  }

  /** Stores the next job in the row, where scheduled wakes find it while the agent is stopped. */
  async #noteNextJob(row: AgentRow, gateway: GatewayAccess): Promise<number | null> {
    const nextJobAt = await this.#context.gatewayControl.nextJobAt(gateway)
    if (row instanceof UserContainer && (row.nextJobAt?.toMillis() ?? null) !== nextJobAt) {
      await this.#rows.save(row, { nextJobAt })
    }
    return nextJobAt
  }

  async #ask<T>(row: AgentRow, ask: (gateway: GatewayAccess) => Promise<T>): Promise<T | null> {
    const token = await row.open('gatewayToken')
    if (!row.endpoint || !token) return null
    try {
      return await ask({ url: row.endpoint, token })
    } catch (error) {
      if (!(error instanceof E_GATEWAY_FAILED)) throw error
      const agent = instanceName(row)
      this.#context.logger.info({ err: error, agent }, 'A gateway does not say what it is doing')
      return null
    }
  }
}
