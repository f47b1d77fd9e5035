import type { BackgroundWakes } from '#agents/waking/background_wakes'
import type { AgentsContext } from '#agents/context'
import type { AgentActivity } from '#agents/state/activity'
import { within } from '#timing/deadline'
import { inParallel } from '#timing/in_parallel'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import type { AgentMetrics } from '#agents/metrics'
import {
  reconcilePlan,
  type PlannedAction,
  type ReconcileAction,
  type Listed,
} from '#agents/background/reconcile_plan'
import { isUp } from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import { inBatches } from '#models/batches'
import SystemContainer from '#models/system_container'
import type { WakePolicy } from '#models/types'
import User from '#models/user'
import UserContainer from '#models/user_container'
import type { Observed } from '#runtimes/contract'

/** An engine that takes longer to list its instances counts as unreachable. */
const LIST_MS = 30_000
const CONCURRENCY = 8

const UP = ['starting', 'running', 'suspended', 'stopping']

/** Columns of a user's agent that a plan compares. There are thousands of rows: times alone would double the work. */
const COMPARED = [
  ...['id', 'user_id', 'container_name', 'container_id', 'endpoint'],
  ...['runtime', 'status', 'desired', 'wake_policy'],
]

export interface ReconcileStatistics {
  /** Instances that the runtimes listed. */
  instances: number
  /** Agents that a replica of Mosaic was changing when it died. */
  takenOver: number
  adopted: number
  /** Interrupted wakes, and suspended agents that requests wait for, that were resumed. */
  resumed: number
  stopped: number
  /** Instances without an agent. Their data is kept. */
  removed: number
  /** Agents whose instance had exited. */
  gone: number
  /** System agents that were started. */
  started: number
  /** Agents that are being changed, or waiting after a failure. */
  skipped: number
  failed: number
  /** Runtimes that did not answer. Their agents were left alone. */
  unreachable: string[]
  dryRun: boolean
  /** Actions taken; in a dry run, actions planned. */
  actions: ReconcileAction[]
  durationMs: number
}

type Outcome =
  'adopted' | 'resumed' | 'stopped' | 'removed' | 'gone' | 'started' | 'skipped' | 'failed'

/** The services that close a gap, as `AgentServices` provides them. */
export interface ReconciledAgents {
  activity: Pick<AgentActivity, 'inFlight'>
  observer: Pick<InstanceObserver, 'isBusy' | 'recheck' | 'adopt' | 'forget'>
  leases: { takeOver(): Promise<number> }
  lifecycle: {
    start(agent: AgentKey): Promise<void>
    stop(agent: AgentKey): Promise<void>
  }
  backgroundWakes: Pick<BackgroundWakes, 'begin'>
  stopRequests: { stopUnwanted(agent: AgentKey): Promise<boolean> }
  instanceStopper: { endUnwanted(agent: AgentKey): Promise<void> }
}

export interface ReconcileOptions {
  /** Plans actions without executing them. */
  dryRun?: boolean
  /** Begins starts without waiting for them. Then only the metrics count them. */
  inBackground?: boolean
}

/** Closes the gap between desired state (the rows) and actual state (the runtimes). */
export class AgentReconciler {
  /** Whether the database was unreachable at the last check. */
  #blind = false

  constructor(
    protected context: Pick<
      AgentsContext,
      'clock' | 'logger' | 'runtimes' | 'settings' | 'timeouts'
    >,
    protected agents: ReconciledAgents,
    protected metrics: Pick<AgentMetrics, 'reconciled'>
  ) {}

  async reconcile(options: ReconcileOptions = {}): Promise<ReconcileStatistics> {
    const { clock } = this.context
    const { dryRun = false, inBackground = false } = options
    const beganAt = clock.elapsed()
    const takenOver = dryRun ? 0 : await this.agents.leases.takeOver()
    const { listed, answered, unreachable } = await this.#look()
    /** Read the rows after the instances: an agent gets its row before its instance. */
    const policy = await this.context.settings.get('agents.wakePolicy')
    const observed = listed.map((entry) => entry.observed)
    const rows = await this.#rows(observed, policy)
    const isInUse = (agent: AgentKey) => this.agents.activity.inFlight(agent) > 0
    const ownerless = await ownerlessAgents(rows)
    const plan = reconcilePlan({ listed, rows, ownerless, answered, policy, isInUse })

    const counts: Record<Outcome, number> = {
      adopted: 0,
      resumed: 0,
      stopped: 0,
      removed: 0,
      gone: 0,
      started: 0,
      skipped: 0,
      failed: 0,
    }
    if (!dryRun) {
      const [starts, others] = partition(plan, isWake)
      await inParallel(
        others,
        CONCURRENCY,
        async (planned) => void counts[await this.#do(planned)]++
      )
      /** Start all at once: the start gate queues them. */
      const started = starts.map((planned) => this.#do(planned))
      if (inBackground) for (const start of started) void this.#countLater(start)
      else for (const outcome of await Promise.all(started)) counts[outcome]++
      this.metrics.reconciled(counts)
    }
    return {
      instances: listed.length,
      takenOver,
      ...counts,
      unreachable,
      dryRun,
      actions: plan.map(({ action, agent, name }) => ({ action, agent, name })),
      durationMs: clock.elapsed() - beganAt,
    }
  }

  /**
   * Repairs work that dead replicas of Mosaic left half done, and catches up after a database outage.
   * Cheap when there is nothing to repair.
   */
  async takeOver(): Promise<{ takenOver: number }> {
    const takenOver = await this.agents.leases.takeOver().catch((error: unknown) => {
      this.#blind = true
      throw error
    })
    if (takenOver > 0 || this.#blind) await this.reconcile({ inBackground: true })
    this.#blind = false
    return { takenOver }
  }

  async #look(): Promise<{ listed: Listed[]; answered: Set<string>; unreachable: string[] }> {
    const { clock, logger, runtimes } = this.context
    const listed: Listed[] = []
    const answered = new Set<string>()
    const unreachable: string[] = []
    for (const runtime of await this.#runtimes()) {
      try {
        const found = await within(clock, LIST_MS, undefined, async () =>
          Array.fromAsync((await runtimes.use(runtime)).list())
        )
        listed.push(...found.map((observed) => ({ runtime, observed })))
        answered.add(runtime)
      } catch (error) {
        unreachable.push(runtime)
        logger.warn({ err: error, runtime }, 'A runtime did not list its instances')
      }
    }
    return { listed, answered, unreachable }
  }

  /** The runtime in use, and runtimes that existing agents were started with. */
  async #runtimes(): Promise<string[]> {
    const { runtimes, settings } = this.context
    const current = await settings.get('runtime.driver')
    const used: string[] = []
    for (const name of runtimes.names()) {
      if (name === current || (await isUsed(name))) used.push(name)
    }
    return used
  }

  async #rows(observed: Observed[], policy: WakePolicy): Promise<AgentRow[]> {
    const users = new Map<string, UserContainer>()
    const query = () => UserContainer.query().select(COMPARED)
    const keptUp = query().where('desired', 'running')
    if (policy === 'always_on') {
      void keptUp.where((own) => own.whereNull('wake_policy').orWhere('wake_policy', policy))
    } else void keptUp.where('wake_policy', 'always_on')
    /** Two queries, since one with an "or" would read the whole table. */
    for (const row of await query().whereIn('status', UP)) users.set(row.userId, row)
    for (const row of await keptUp) users.set(row.userId, row)
    const missing = observed
      .map(({ agent }) => agent)
      .filter((agent) => agent.startsWith('user/'))
      .map((agent) => agent.slice('user/'.length))
      .filter((id) => !users.has(id))
    for (const some of inBatches(missing)) {
      for (const row of await query().whereIn('user_id', some)) {
        users.set(row.userId, row)
      }
    }
    return [...users.values(), ...(await SystemContainer.all())]
  }

  async #do(planned: PlannedAction): Promise<Outcome> {
    const { action, agent } = planned
    try {
      if (this.agents.observer.isBusy(agent)) return 'skipped'
      if (action === 'adopt') return await this.#adopt(planned)
      if (action === 'remove') return await this.#remove(planned)
      if (planned.despiteRow) {
        await this.agents.lifecycle.stop(agent)
        return 'stopped'
      }
      if (action === 'stop') {
        return (await this.agents.stopRequests.stopUnwanted(agent)) ? 'stopped' : 'skipped'
      }
      if (action === 'recheck') {
        return (await this.agents.observer.recheck(agent)) === 'gone' ? 'gone' : 'skipped'
      }
      /** The replica that suspended it may have died before anybody knew. */
      if (action === 'resume') this.agents.observer.forget(agent)
      const wake = await this.agents.backgroundWakes.begin(agent, 'upkeep')
      if (wake?.outcome !== 'woken') return wake?.outcome ?? 'skipped'
      return action === 'resume' ? 'resumed' : 'started'
    } catch (error) {
      this.context.logger.warn({ err: error, agent, action }, 'Could not reconcile an agent')
      return 'failed'
    }
  }

  async #countLater(start: Promise<Outcome>): Promise<void> {
    this.metrics.reconciled({ [await start]: 1 })
  }

  async #adopt({ agent, row, listed }: PlannedAction): Promise<Outcome> {
    const { observed, runtime } = listed!
    const adoption = await this.agents.observer.adopt(agent, observed, runtime)
    if (adoption !== 'unready') return adoption === 'adopted' ? 'adopted' : 'skipped'
    if (row!.status === 'starting') {
      await this.agents.lifecycle.start(agent)
      return 'resumed'
    }
    if (isUp(row!)) return 'skipped'
    await this.agents.instanceStopper.endUnwanted(agent)
    return 'stopped'
  }

  async #remove({ agent, name, listed }: PlannedAction): Promise<Outcome> {
    const { observed, runtime } = listed!
    const driver = await this.context.runtimes.use(runtime)
    this.context.logger.info({ agent, name, runtime }, 'Removing an instance of no agent')
    await within(this.context.clock, this.context.timeouts.stopMs, undefined, () =>
      driver.remove({ name, state: observed.state })
    )
    return 'removed'
  }
}

/** Whether an agent was last started with this runtime: one look into an index, unlike a list of all in use. */
async function isUsed(runtime: string): Promise<boolean> {
  for (const model of [UserContainer, SystemContainer]) {
    if (await model.query().select('id').where({ runtime }).first()) return true
  }
  return false
}

/** Returns the agents that should run although their users were deactivated: their stop failed or was cut short. */
async function ownerlessAgents(rows: AgentRow[]): Promise<Set<AgentKey>> {
  const wanted = rows.flatMap((row) =>
    row instanceof UserContainer && row.desired === 'running' ? row.userId : []
  )
  const ownerless = new Set<AgentKey>()
  for (const some of inBatches(wanted)) {
    const users = User.query().select('id').whereIn('id', some).whereNotNull('deactivated_at')
    for (const { id } of await users) ownerless.add(`user/${id}`)
  }
  return ownerless
}

function isWake({ action }: PlannedAction): boolean {
  return action === 'start' || action === 'resume'
}

function partition<Item>(items: Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))]
}
