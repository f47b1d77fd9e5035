import type { AgentsContext } from '#agents/context'
import type { FleetHistory } from '#agents/fleet/fleet_history'
import type { AgentHealthCheck } from '#agents/background/health_check'
import type { AgentReaper } from '#agents/background/reaper'
import type { AgentReconciler } from '#agents/background/reconciler'
import type { RuntimeEvents } from '#agents/background/runtime_events'
import type { ScheduledWakes } from '#agents/background/scheduled_wakes'
import { prefetchImages } from '#agents/background/image_prefetch'
import { Scheduler } from '#agents/background/scheduler'

/** Often enough that an idle agent or a crash is no news for long, rare enough to cost nothing. */
const SWEEP_MS = 60_000
/** The gap between what runs and what should is closed sooner. */
const RECONCILE_MS = 30_000
/** Small against the time by which agents are woken ahead of what they have planned. */
const SCHEDULE_MS = 10_000
/** What a replica of Mosaic left half done when it ended is taken up within a lease's time and this. */
const TAKE_OVER_MS = 3000

export interface AgentJobsParts {
  reaper: AgentReaper
  health: AgentHealthCheck
  reconciler: AgentReconciler
  watch: RuntimeEvents
  history: FleetHistory
  scheduled: ScheduledWakes
}

/** What the web process does for the agents on its own: sweeps each minute, and the drivers' events. */
export function agentJobs(
  context: Pick<AgentsContext, 'clock' | 'logger' | 'settings' | 'runtimes'>,
  { reaper, health, reconciler, watch, history, scheduled }: AgentJobsParts
): Scheduler {
  const followRuntime = async () => watch.follow(await context.settings.get('runtime.driver'))
  return new Scheduler(context, [
    {
      name: 'reconcile',
      everyMs: RECONCILE_MS,
      atStart: true,
      run: async () => {
        await followRuntime()
        return reconciler.reconcile()
      },
    },
    { name: 'take over', everyMs: TAKE_OVER_MS, run: () => reconciler.takeOver() },
    { name: 'prepare', everyMs: SWEEP_MS, atStart: true, run: prefetchImages(context) },
    { name: 'schedule', everyMs: SCHEDULE_MS, run: () => scheduled.wakeDue() },
    { name: 'reap', everyMs: SWEEP_MS, run: () => reaper.reapIdle() },
    { name: 'health', everyMs: SWEEP_MS, run: () => health.healthCheckAll() },
    { name: 'sample', everyMs: SWEEP_MS, atStart: true, run: () => history.sample() },
  ])
}
