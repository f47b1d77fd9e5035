import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PrewarmOutcome, WakeOutcome, WakeReason, WakeStage } from '#agents/types'
import type { FailureReason } from '#runtimes/errors'

/**
 * Upper bounds in seconds: a gateway boots in a few seconds on a good machine and in minutes on a busy
 * one.
 */
const BUCKETS_SEC = [0.5, 1, 2.5, 5, 10, 20, 40, 80, 160]

const REAP_OUTCOMES = ['stopped', 'suspended', 'working', 'failed'] as const
type ReapOutcome = (typeof REAP_OUTCOMES)[number]

/** Gauges that are read at scrape time. */
export interface AgentGauges {
  /** Agents by status. */
  agents: Record<string, number>
  waking: number
  queued: number
}

/** A wake that has ended. */
export interface EndedWake {
  outcome: WakeOutcome
  reason: WakeReason
  elapsedMs: number
  /** Milliseconds spent in each stage. */
  stages: ReadonlyMap<WakeStage, number>
}

/** Prometheus metrics about the agents of this process. */
export class AgentMetrics {
  readonly #registry = new Registry()
  readonly #agents = this.#gauge('mosaic_agents', 'Agents by their last known status.', ['status'])
  readonly #waking = this.#gauge('mosaic_agents_waking', 'Agents that wake just now.')
  readonly #queued = this.#gauge('mosaic_agents_queued', 'Agents in line at the start gate.')
  readonly #wakes = this.#counter('mosaic_agent_wakes_total', 'Wakes by how they ended.', 'outcome')
  readonly #reasons = this.#counter(
    'mosaic_agent_wake_reasons_total',
    'Wakes by what they were for.',
    'reason'
  )
  readonly #crashes = this.#counter(
    'mosaic_agent_crashes_total',
    'Agents that ended by themselves.',
    'reason'
  )
  readonly #prewarms = this.#counter(
    'mosaic_agent_prewarms_total',
    'Agents made ready for a first message, by how it ended.',
    'outcome'
  )
  readonly #reaps = this.#counter(
    'mosaic_agent_reaps_total',
    'Agents that nobody used, by what became of them.',
    'outcome'
  )
  readonly #reconciled = this.#counter(
    'mosaic_agent_reconciled_total',
    'What reconciling did.',
    'action'
  )
  readonly #wakeSeconds = new Histogram({
    name: 'mosaic_agent_wake_seconds',
    help: 'How long wakes took that ended ready.',
    buckets: BUCKETS_SEC,
    registers: [this.#registry],
  })
  readonly #stageSeconds = new Histogram({
    name: 'mosaic_agent_wake_stage_seconds',
    help: 'How long the stages of these wakes took.',
    labelNames: ['stage'],
    buckets: BUCKETS_SEC,
    registers: [this.#registry],
  })

  /** `kept` also receives each wake, for the statistics that outlive this process. */
  constructor(protected kept: (outcome: WakeOutcome, ms: number) => void = () => {}) {
    for (const outcome of REAP_OUTCOMES) this.#reaps.inc({ outcome }, 0)
  }

  wakeEnded({ outcome, reason, elapsedMs, stages }: EndedWake): void {
    this.kept(outcome, elapsedMs)
    this.#wakes.inc({ outcome })
    this.#reasons.inc({ reason })
    if (outcome !== 'ready') return
    this.#wakeSeconds.observe(elapsedMs / 1000)
    for (const [stage, ms] of stages) this.#stageSeconds.observe({ stage }, ms / 1000)
  }

  crashed(reason: FailureReason): void {
    this.#crashes.inc({ reason })
  }

  prewarmed(outcome: PrewarmOutcome): void {
    this.#prewarms.inc({ outcome })
  }

  /** Counts the results of a sweep of the reaper. */
  reaped(counts: Record<ReapOutcome, number>): void {
    for (const outcome of REAP_OUTCOMES) this.#reaps.inc({ outcome }, counts[outcome])
  }

  /** Counts the actions of a sweep of the reconciler. */
  reconciled(counts: Record<string, number>): void {
    for (const [action, count] of Object.entries(counts)) this.#reconciled.inc({ action }, count)
  }

  /** Returns the metrics in Prometheus' text format. */
  render({ agents, waking, queued }: AgentGauges): Promise<string> {
    this.#agents.reset()
    for (const [status, count] of Object.entries(agents)) this.#agents.set({ status }, count)
    this.#waking.set(waking)
    this.#queued.set(queued)
    return this.#registry.metrics()
  }

  #counter<Label extends string>(name: string, help: string, label: Label): Counter<Label> {
    return new Counter({ name, help, labelNames: [label], registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }
}
