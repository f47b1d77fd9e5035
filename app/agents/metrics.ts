import { family, Histogram, samples } from '#metrics/prometheus'
import type { PrewarmOutcome, WakeOutcome, WakeReason, WakeStage } from '#agents/types'
import type { FailureReason } from '#runtimes/errors'

/** Upper bounds in seconds: a gateway's boot takes a few on a good machine and minutes on a busy one. */
const BUCKETS_SEC = [0.5, 1, 2.5, 5, 10, 20, 40, 80, 160]

const REAP_OUTCOMES = ['stopped', 'suspended', 'working', 'failed'] as const
type ReapOutcome = (typeof REAP_OUTCOMES)[number]

/** What only the moment knows. */
export interface AgentGauges {
  /** Agents by their status. */
  agents: Record<string, number>
  waking: number
  queued: number
}

/** A wake that has ended. */
export interface EndedWake {
  outcome: WakeOutcome
  reason: WakeReason
  elapsedMs: number
  /** Milliseconds of each stage that it was in. */
  stages: ReadonlyMap<WakeStage, number>
}

/** Counts what happens to agents in this process, for Prometheus. */
export class AgentMetrics {
  readonly #wakes = new Map<WakeOutcome, number>()
  readonly #reasons = new Map<WakeReason, number>()
  readonly #crashes = new Map<FailureReason, number>()
  readonly #primings = new Map<PrewarmOutcome, number>()
  readonly #reaps = new Map<ReapOutcome, number>(REAP_OUTCOMES.map((outcome) => [outcome, 0]))
  readonly #reconciled = new Map<string, number>()
  readonly #wakeTimes = new Histogram(
    'mosaic_agent_wake_seconds',
    'How long wakes took that ended ready.',
    BUCKETS_SEC
  )
  readonly #stageTimes = new Histogram(
    'mosaic_agent_wake_stage_seconds',
    'How long the stages of these wakes took.',
    BUCKETS_SEC,
    'stage'
  )

  /** `kept` is told of each wake too: it outlives this process. */
  constructor(protected kept: (outcome: WakeOutcome, ms: number) => void = () => {}) {}

  wakeEnded({ outcome, reason, elapsedMs, stages }: EndedWake): void {
    this.kept(outcome, elapsedMs)
    add(this.#wakes, outcome)
    add(this.#reasons, reason)
    if (outcome !== 'ready') return
    this.#wakeTimes.observe(elapsedMs)
    for (const [stage, ms] of stages) this.#stageTimes.observe(ms, stage)
  }

  crashed(reason: FailureReason): void {
    add(this.#crashes, reason)
  }

  primed(outcome: PrewarmOutcome): void {
    add(this.#primings, outcome)
  }

  /** What a sweep of the reaper came to. */
  reaped(counts: Record<ReapOutcome, number>): void {
    for (const outcome of REAP_OUTCOMES) add(this.#reaps, outcome, counts[outcome])
  }

  /** What a sweep of the reconciler did, by what it did. */
  reconciled(counts: Record<string, number>): void {
    for (const [action, count] of Object.entries(counts)) add(this.#reconciled, action, count)
  }

  /** Prometheus' text format. */
  render({ agents, waking, queued }: AgentGauges): string {
    const counted = (name: string, help: string, label: string, counts: Map<string, number>) => [
      ...family(name, 'counter', help),
      ...samples(name, label, counts),
    ]
    const lines = [
      ...family('mosaic_agents', 'gauge', 'Agents by their last known status.'),
      ...samples('mosaic_agents', 'status', agents),
      ...family('mosaic_agents_waking', 'gauge', 'Agents that wake just now.'),
      `mosaic_agents_waking ${waking}`,
      ...family('mosaic_agents_queued', 'gauge', 'Agents in line at the start gate.'),
      `mosaic_agents_queued ${queued}`,
      ...counted('mosaic_agent_wakes_total', 'Wakes by how they ended.', 'outcome', this.#wakes),
      ...counted(
        'mosaic_agent_wake_reasons_total',
        'Wakes by what they were for.',
        'reason',
        this.#reasons
      ),
      ...counted(
        'mosaic_agent_crashes_total',
        'Agents that ended by themselves.',
        'reason',
        this.#crashes
      ),
      ...counted(
        'mosaic_agent_primings_total',
        'Agents made ready for a first message, by how it ended.',
        'outcome',
        this.#primings
      ),
      ...counted(
        'mosaic_agent_reaps_total',
        'Agents that nobody used, by what became of them.',
        'outcome',
        this.#reaps
      ),
      ...counted(
        'mosaic_agent_reconciled_total',
        'What reconciling did.',
        'action',
        this.#reconciled
      ),
      ...this.#wakeTimes.render(),
      ...this.#stageTimes.render(),
    ]
    return `${lines.join('\n')}\n`
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}
