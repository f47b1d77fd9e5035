import type { AgentsContext } from '#agents/context'
import type { FleetHistory } from '#agents/fleet/fleet_history'
import type { AgentHealthCheck } from '#agents/background/health_check'
import type { AgentReaper } from '#agents/background/reaper'
import type { AgentRester } from '#agents/background/rester'
import type { AgentReconciler } from '#agents/background/reconciler'
import type { RuntimeEvents } from '#agents/background/runtime_events'
import type { EarlyWakes } from '#agents/background/early_wakes'
import type { ScheduledWakes } from '#agents/background/scheduled_wakes'
import { prefetchImages } from '#agents/background/image_prefetch'
import { Scheduler } from '#agents/background/scheduler'

/** Sweep interval: short enough to notice idle agents and crashes promptly, long enough to cost nothing. */
const SWEEP_MS = 60_000
/** Reconcile interval: a gap between desired and actual state should close sooner than a sweep. */
const RECONCILE_MS = 30_000
/** Schedule check interval: much shorter than the lead time of scheduled wakes. */
const SCHEDULE_MS = 10_000
/** Takeover interval: work that a dead replica left half done resumes within a lease's time plus this. */
const TAKE_OVER_MS = 3000

export interface AgentJobsParts {
  reaper: AgentReaper
  rester: AgentRester
  health: AgentHealthCheck
  reconciler: AgentReconciler
  watch: RuntimeEvents
  history: FleetHistory
  scheduled: ScheduledWakes
  early: EarlyWakes
}

/** Runs the web process's background work: sweeps each minute, and the drivers' events. */
export function agentJobs(
  context: Pick<AgentsContext, 'clock' | 'logger' | 'settings' | 'runtimes'>,
  { reaper, rester, health, reconciler, watch, history, scheduled, early }: AgentJobsParts
): Scheduler {
  const followRuntime = async () => watch.follow(await context.settings.get('runtime.driver'))
  return new Scheduler(context, [
    {
      name: 'reconcile',
      everyMs: RECONCILE_MS,
      atStart: true,
      run: async () => {
        await followRuntime()
        return reconciler.reconcile({ inBackground: true })
      },
    },
    { name: 'take over', everyMs: TAKE_OVER_MS, run: () => reconciler.takeOver() },
    { name: 'prepare', everyMs: SWEEP_MS, atStart: true, run: prefetchImages(context) },
    { name: 'schedule', everyMs: SCHEDULE_MS, run: () => scheduled.wakeDue() },
    {
      name: 'rest and reap',
      everyMs: SWEEP_MS,
      /** The order matters: agents without room to rest are stopped. */
      run: async () => ({
        ...(await rester.rest()),
        ...(await reaper.reapIdle({ keepResting: true })),
      }),
    },
    { name: 'wake early', everyMs: SWEEP_MS, run: () => early.sweep() },
    { name: 'health', everyMs: SWEEP_MS, run: () => health.healthCheckAll() },
    { name: 'sample', everyMs: SWEEP_MS, atStart: true, run: () => history.sample() },
  ])
}
