import { test } from '@japa/runner'
import { AgentMetrics } from '#agents/metrics'

test.group('Metrics of agents', () => {
  test('are told in the form that Prometheus reads', async ({ assert }) => {
    const metrics = new AgentMetrics()
    const stages = new Map([['booting' as const, 2000]])
    const wake = { reason: 'message' as const, stages }
    metrics.wakeEnded({ ...wake, outcome: 'ready', elapsedMs: 3000 })
    metrics.wakeEnded({ ...wake, outcome: 'ready', elapsedMs: 30_000, reason: 'schedule' })
    metrics.wakeEnded({ ...wake, outcome: 'boot_timeout', elapsedMs: 180_000 })
    metrics.reconciled({ adopted: 2, failed: 0 })
    metrics.crashed('out_of_memory')
    metrics.reaped({ stopped: 2, suspended: 1, working: 0, failed: 0 })
    const text = await metrics.render({ agents: { running: 3, stopped: 9 }, waking: 1, queued: 4 })

    for (const line of [
      'mosaic_agents{status="running"} 3',
      'mosaic_agents{status="stopped"} 9',
      'mosaic_agents_waking 1',
      'mosaic_agents_queued 4',
      'mosaic_agent_wakes_total{outcome="ready"} 2',
      'mosaic_agent_wakes_total{outcome="boot_timeout"} 1',
      'mosaic_agent_wake_reasons_total{reason="message"} 2',
      'mosaic_agent_wake_reasons_total{reason="schedule"} 1',
      'mosaic_agent_wake_stage_seconds_bucket{le="2.5",stage="booting"} 2',
      'mosaic_agent_wake_stage_seconds_sum{stage="booting"} 4',
      'mosaic_agent_reconciled_total{action="adopted"} 2',
      'mosaic_agent_crashes_total{reason="out_of_memory"} 1',
      'mosaic_agent_reaps_total{outcome="stopped"} 2',
      'mosaic_agent_reaps_total{outcome="suspended"} 1',
      'mosaic_agent_wake_seconds_bucket{le="2.5"} 0',
      'mosaic_agent_wake_seconds_bucket{le="5"} 1',
      'mosaic_agent_wake_seconds_bucket{le="+Inf"} 2',
      'mosaic_agent_wake_seconds_sum 33',
      'mosaic_agent_wake_seconds_count 2',
    ]) {
      assert.include(text.split('\n'), line)
    }
    for (const line of text.split('\n').filter(Boolean)) {
      assert.match(
        line,
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]+"(,[a-z]+="[^"]+")?\})? [0-9.]+)$/
      )
    }
  })
})
