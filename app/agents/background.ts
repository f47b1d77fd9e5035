import type { AgentsContext } from '#agents/context'
import type { FleetHistory } from '#agents/fleet_history'
import type { AgentHealth } from '#agents/health'
import type { AgentReaper } from '#agents/reaper'
import type { AgentReconciler } from '#agents/reconciler'
import type { RuntimeWatch } from '#agents/runtime_watch'
import { prepareAhead } from '#agents/prepare_ahead'
import { Scheduler } from '#agents/scheduler'

/** Often enough that an idle agent or a crash is no news for long, rare enough to cost nothing. */
const SWEEP_MS = 60_000

export interface BackgroundParts {
  reaper: AgentReaper
  health: AgentHealth
  reconciler: AgentReconciler
  watch: RuntimeWatch
  history: FleetHistory
}

/** What the web process does for the agents on its own: sweeps each minute, and the drivers' events. */
export function agentsBackground(
  context: Pick<AgentsContext, 'clock' | 'logger' | 'settings' | 'runtimes'>,
  { reaper, health, reconciler, watch, history }: BackgroundParts
): Scheduler {
  const followRuntime = async () => watch.follow(await context.settings.get('runtime.driver'))
  return new Scheduler(context, [
    {
      name: 'reconcile',
      everyMs: SWEEP_MS,
      atStart: true,
      run: async (boot) => {
        await followRuntime()
        return reconciler.reconcile({ boot })
      },
    },
    { name: 'prepare', everyMs: SWEEP_MS, atStart: true, run: prepareAhead(context) },
    { name: 'reap', everyMs: SWEEP_MS, run: () => reaper.reapIdle() },
    { name: 'health', everyMs: SWEEP_MS, run: () => health.healthCheckAll() },
    { name: 'sample', everyMs: SWEEP_MS, atStart: true, run: () => history.sample() },
  ])
}
