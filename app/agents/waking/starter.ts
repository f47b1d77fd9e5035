import type { AgentsContext } from '#agents/context'
import { migrateData, settleMigration } from '#agents/instances/data_migration'
import { DeadlineExceeded, within } from '#timing/deadline'
import { raceSignal } from '#timing/race_signal'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import { GatewayReadiness } from '#agents/instances/gateway_readiness'
import type { LeaseManager } from '#agents/leases/lease_manager'
import { agentOf, instanceRef, type AgentRepository } from '#agents/state/agent_repository'
import { InstanceResumer } from '#agents/waking/instance_resumer'
import type { SharedStartGate } from '#agents/waking/shared_start_gate'
import {
  isSamePlan,
  noteStarting,
  planStart,
  renewToken,
  type Attempt,
  type StartPlan,
} from '#agents/instances/start_plan'
import type { AgentRow, GatewayAccess, WakeReason } from '#agents/types'
import type { Wake } from '#agents/state/wake'
import { expectedWaitMs, type WakeDurations } from '#agents/waking/wake_durations'
import type { Instance, RuntimeDriver } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'

/** Repeated settings changes must not keep an agent from ever becoming ready. */
const MOST_RENEWALS = 2

export interface StarterParts {
  rows: AgentRepository
  leases: LeaseManager
  gate: SharedStartGate
  probe: GatewayProbe
  wakeTimes: WakeDurations
  /** As `wakeTimes`, but only for the time spent holding a place at the start gate. */
  startTimes: WakeDurations
  /** As `FormerTokens`. */
  formerTokens: {
    end(gateway: GatewayAccess, renewedAt: number, signal: AbortSignal): Promise<void>
  }
  /** As `InstanceObserver`. */
  observer: { isThere(row: AgentRow): Promise<boolean> }
  /** As `GatewayDrain`. */
  gatewayDrain: {
    reopen(row: AgentRow): Promise<void>
    drain(row: AgentRow, graceMs: number, signal: AbortSignal): Promise<unknown>
  }
}

/** The cold path, step by step: from a row to a ready gateway. Call it under the lease. */
export class AgentStarter {
  readonly #context: AgentsContext
  readonly #parts: StarterParts
  readonly #readiness: GatewayReadiness
  readonly #resumer: InstanceResumer

  constructor(context: AgentsContext, parts: StarterParts) {
    this.#context = context
    this.#parts = parts
    this.#readiness = new GatewayReadiness(context, parts.probe)
    this.#resumer = new InstanceResumer(context, { ...parts, readiness: this.#readiness })
  }

  /** @throws RuntimeError, E_NO_PROVIDER, the reason of the wake's signal */
  async start(wake: Wake, attempt: Attempt): Promise<GatewayAccess> {
    const { row } = attempt
    const plan = await planStart(this.#context, row)
    wake.usualMs = this.#parts.wakeTimes.usual(plan.driver.name)
    wake.signal.throwIfAborted()

    const resumed = await this.#resumer.resume(wake, attempt, plan)
    if (resumed) {
      const { instance, documentHash } = resumed
      return this.#ready(wake, attempt, { ...plan, documentHash }, instance)
    }

    await this.#drainFormer(wake, row, plan)
    const leaveGate = await this.#enterGate(wake, plan)
    const enteredAt = this.#context.clock.elapsed()
    try {
      const access = await this.#boot(wake, attempt, plan)
      this.#parts.startTimes.add(plan.driver.name, this.#context.clock.elapsed() - enteredAt)
      return access
    } finally {
      leaveGate()
    }
  }

  /** An instance that another plan replaces may be at work, as for a page of another replica. */
  async #drainFormer(
    { signal }: Wake,
    row: AgentRow,
    { driver, spec, documentHash }: StartPlan
  ): Promise<void> {
    const hasPlan =
      row.runtime === driver.name && row.documentHash === documentHash && row.specHash === spec.hash
    const { gatewayDrain, observer } = this.#parts
    /** Another agent may have the row's address, and must not get the token. */
    if (row.status !== 'running' || hasPlan || !(await observer.isThere(row))) return
    const graceMs = (await this.#context.settings.get('agents.stopGraceSec')) * 1000
    try {
      await raceSignal(gatewayDrain.drain(row, graceMs, signal), signal)
    } catch (error) {
      if (signal.aborted) await gatewayDrain.reopen(row)
      throw error
    }
  }

  async #enterGate(wake: Wake, { driver }: StartPlan): Promise<() => void> {
    const { gate, startTimes } = this.#parts
    const places = await this.#context.settings.get('agents.startConcurrency')
    const tell = (queuePosition: number) => {
      const usualMs = startTimes.usual(driver.name)
      const wait = usualMs !== null && {
        expectedWaitMs: expectedWaitMs(queuePosition, places, usualMs),
      }
      wake.tell('queued', { queuePosition, ...wait })
    }
    return gate.enter(wake.agent, places, { signal: wake.signal, tell })
  }

  /** Includes settings changes made during the start, so that no request meets former settings. */
  async #boot(wake: Wake, attempt: Attempt, first: StartPlan): Promise<GatewayAccess> {
    let plan = first
    for (let renewals = 0; ; renewals++) {
      await this.#leaveFormerRuntime(attempt.row, plan, wake)
      await this.#endWithFormerDocument(attempt.row, plan)
      plan = await renewToken(attempt.row, plan)
      await noteStarting(this.#parts.rows, attempt, plan)
      const renewedAt = this.#context.clock.elapsed()
      const instance = await this.#make(wake, attempt, plan)
      await this.#readiness.wait(wake, plan.driver, instance)
      await settleMigration(attempt.row, plan.driver, this.#context)
      const current = await planStart(this.#context, attempt.row)
      if (isSamePlan(current, plan) || renewals === MOST_RENEWALS) {
        this.#parts.wakeTimes.add(plan.driver.name, wake.elapsedMs)
        const gateway = { url: instance.endpoint, token: plan.spec.token.release() }
        await this.#parts.formerTokens.end(gateway, renewedAt, wake.signal)
        return this.#ready(wake, attempt, plan, instance)
      }
      plan = current
    }
  }

  /** Returns the agent's gateway if another replica woke it while this one waited, or null. */
  async followed(wake: Wake, row: AgentRow): Promise<GatewayAccess | null> {
    if (!wake.followed || row.status !== 'running' || !row.endpoint) return null
    wake.tell('ready')
    return { url: row.endpoint, token: (await row.open('gatewayToken'))! }
  }

  /** An instance reads its document at startup, so a changed document needs a new start. */
  async #endWithFormerDocument(row: AgentRow, { driver, documentHash }: StartPlan): Promise<void> {
    if (row.runtime !== driver.name || row.documentHash === documentHash) return
    await this.#end(row, driver)
  }

  async #end(row: AgentRow, driver: RuntimeDriver): Promise<void> {
    const { clock, timeouts } = this.#context
    const graceMs = timeouts.killAfterMs
    await this.#parts.leases.confirm(agentOf(row), row)
    await within(clock, graceMs + timeouts.stopMs, undefined, () =>
      driver.stop(instanceRef(row), { graceMs })
    )
  }

  /**
   * Otherwise the former runtime's instance would run beside the new one, and its data would be left
   * behind.
   */
  async #leaveFormerRuntime(
    row: AgentRow,
    { driver, spec }: StartPlan,
    wake: Pick<Wake, 'signal' | 'tell'>
  ): Promise<void> {
    const { runtimes, clock, timeouts, settings } = this.#context
    if (!row.runtime || row.runtime === driver.name) return
    const former = await runtimes.use(row.runtime)
    const ref = instanceRef(row)
    await this.#end(row, former)
    const maxMb = await settings.get('runtime.moveMb')
    const state = await within(clock, timeouts.ensureMs, wake.signal, (signal) =>
      migrateData(ref, spec, former, driver, {
        signal,
        maxMb,
        onProgress: (detail) => wake.tell('provisioning', { detail }),
      })
    )
    row.runtimeState = state
  }

  async #make(wake: Wake, attempt: Attempt, { driver, spec }: StartPlan): Promise<Instance> {
    const { clock, timeouts } = this.#context
    wake.tell('provisioning')
    await this.#parts.leases.confirm(agentOf(attempt.row), attempt.row)
    try {
      const instance = await within(clock, timeouts.ensureMs, wake.signal, (signal) => {
        const onProgress = (detail: string) => wake.tell('provisioning', { detail })
        const { runtimeState: state } = attempt.row
        attempt.making = driver.ensure(spec, { signal, onProgress, state })
        return attempt.making
      })
      attempt.making = null
      await this.#parts.rows.save(attempt.row, this.#noted(instance))
      wake.tell('starting')
      return instance
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
      const reason = driver.prepare ? 'pull_timeout' : 'engine_unreachable'
      throw new RuntimeError(reason, 'Making the instance took too long.', { cause: error })
    }
  }

  #noted({ id, endpoint, state }: Instance) {
    const startedAt = this.#context.clock.now()
    return { containerId: id, endpoint, runtimeState: state, startedAt }
  }

  async #ready(
    wake: Wake,
    { row }: Attempt,
    { driver, spec, documentHash }: StartPlan,
    instance: Instance
  ): Promise<GatewayAccess> {
    wake.signal.throwIfAborted()
    const { id, endpoint, state } = instance
    await this.#parts.rows.save(row, {
      status: 'running',
      desired: 'running',
      statusReason: null,
      runtime: driver.name,
      containerId: id,
      endpoint,
      runtimeState: state,
      specHash: spec.hash,
      generation: spec.generation,
      documentHash,
      failureCount: 0,
      retryAt: null,
      ...(wake.explicit && { crashCount: 0 }),
      ...(isUse(wake, row) && { lastActiveAt: this.#context.clock.now() }),
      startedAt: row.startedAt?.toMillis() ?? this.#context.clock.now(),
    })
    wake.signal.throwIfAborted()
    wake.tell('ready')
    return { url: endpoint, token: spec.token.release() }
  }
}

const UNUSED: WakeReason[] = ['schedule', 'upkeep', 'expected']

/** A wake without a user does not count as use, but an agent without any time would never become idle. */
function isUse({ reason }: Wake, row: AgentRow): boolean {
  return !UNUSED.includes(reason) || !row.lastActiveAt
}
