import type { AgentsContext } from '#agents/context'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import type { GatewayReadiness } from '#agents/instances/gateway_readiness'
import { InstanceEnded } from '#agents/instances/instance_failure'
import { noteStarting, type Attempt, type StartPlan } from '#agents/instances/start_plan'
import type { LeaseManager } from '#agents/leases/lease_manager'
import { agentOf, instanceRef, isUp, type AgentRepository } from '#agents/state/agent_repository'
import type { Wake } from '#agents/state/wake'
import { within } from '#timing/deadline'
import type { AgentRow } from '#agents/types'
import type { Instance } from '#runtimes/contract'

/** An existing instance. */
interface Present extends Instance {
  frozen: boolean
}

/** An instance that became ready without a start, and the hash of the document that it uses. */
export interface Resumed {
  instance: Instance
  documentHash: string
}

export interface InstanceResumerParts {
  rows: AgentRepository
  leases: LeaseManager
  probe: GatewayProbe
  readiness: GatewayReadiness
  /** As `GatewayDrain`. */
  gatewayDrain: { reopen(row: AgentRow): Promise<void> }
}

/** Continues with an instance that exists already: resting, or running as before a restart of Mosaic. */
export class InstanceResumer {
  readonly #context: AgentsContext
  readonly #parts: InstanceResumerParts

  constructor(context: AgentsContext, parts: InstanceResumerParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Returns the ready instance, or null if only a start can help: there is none, it ended, or it cannot take
   * the current settings while it runs. That does not count as a failed start.
   *
   * @throws RuntimeError, E_NO_PROVIDER, the reason of the wake's signal
   */
  async resume(wake: Wake, attempt: Attempt, plan: StartPlan): Promise<Resumed | null> {
    const { row } = attempt
    const present = await this.#present(row, plan)
    if (!present) return null
    try {
      /** Until the gateway has new settings, the row names those that it has. */
      const former = row.documentHash!
      await this.#waitUntilReady(wake, attempt, { ...plan, documentHash: former }, present)
      if (!present.frozen) return { instance: present, documentHash: former }
      const documentHash = await this.#renewSettings(row, plan, present)
      return documentHash === null ? null : { instance: present, documentHash }
    } catch (error) {
      if (error instanceof InstanceEnded) return null
      throw error
    }
  }

  /**
   * Returns an instance with the right spec, or null. A running one must have the current document: its
   * settings are rolled out while it runs. A resting one gets them when it resumes.
   */
  async #present(
    row: AgentRow,
    { driver, spec, documentHash }: StartPlan
  ): Promise<Present | null> {
    if (row.runtime !== driver.name || !isUp(row) || row.documentHash === null) return null
    if (row.documentHash !== documentHash && row.status !== 'suspended') return null
    const { clock, timeouts, logger } = this.#context
    const look = within(clock, timeouts.inspectMs, undefined, () =>
      driver.inspect(instanceRef(row))
    )
    const observed = await look.catch((error) => {
      logger.warn({ err: error, agent: spec.agent }, 'Could not look at an instance')
      return null
    })
    if (!observed?.endpoint || observed.status === 'exited') return null
    if (observed.specHash !== spec.hash) return null
    const frozen = observed.status === 'suspended' || row.status === 'suspended'
    return { ...observed, endpoint: observed.endpoint, frozen }
  }

  /** A suspended instance was ready before, so it needs no place at the start gate. */
  async #waitUntilReady(
    wake: Wake,
    attempt: Attempt,
    plan: StartPlan,
    present: Present
  ): Promise<void> {
    const { rows, probe, readiness, gatewayDrain } = this.#parts
    if (present.frozen) await this.#thaw(wake, attempt, plan, present)
    else if ((await probe.startup(present.endpoint, wake.signal)) === 'ready') return
    /** After a suspend or a cancelled stop, the gateway refuses work for a while. */
    await gatewayDrain.reopen(attempt.row)
    await noteStarting(rows, attempt, plan)
    await readiness.wait(wake, plan.driver, present)
  }

  /**
   * A cancelled wake waits for the runtime too: without the lease, a late resume would meet what the next
   * holder does to the instance.
   */
  async #thaw(
    wake: Wake,
    attempt: Attempt,
    { driver }: StartPlan,
    instance: Present
  ): Promise<void> {
    const { clock, timeouts } = this.#context
    const { row } = attempt
    wake.tell('starting')
    await this.#parts.leases.confirm(agentOf(row), row)
    attempt.driver = driver
    await within(clock, timeouts.inspectMs, undefined, async () => driver.resume?.(instance))
    wake.signal.throwIfAborted()
  }

  /** Returns the hash of the document in use from now on, or null if the gateway must start with it. */
  async #renewSettings(
    row: AgentRow,
    { spec }: StartPlan,
    { endpoint }: Present
  ): Promise<string | null> {
    const { documents, live } = this.#context
    const agent = agentOf(row)
    const { hash } = await documents.forAgent(agent)
    if (hash === row.documentHash) return hash
    return live.apply({ url: endpoint, token: spec.token.release() }, agent, row.documentHash!)
  }
}
