import type { PrimingOutcome, WakeOutcome } from '#agents/types'
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

/** Counts what happens to agents in this process, for Prometheus. */
export class AgentMetrics {
  readonly #wakes = new Map<WakeOutcome, number>()
  readonly #crashes = new Map<FailureReason, number>()
  readonly #primings = new Map<PrimingOutcome, number>()
  readonly #buckets = BUCKETS_SEC.map(() => 0)
  #wakeCount = 0
  #wakeSeconds = 0
  readonly #reaps: Record<ReapOutcome, number> = { stopped: 0, suspended: 0, working: 0, failed: 0 }

  /** `kept` is told of each wake too: it outlives this process. */
  constructor(protected kept: (outcome: WakeOutcome, ms: number) => void = () => {}) {}

  wakeEnded(outcome: WakeOutcome, ms: number): void {
    this.kept(outcome, ms)
    this.#wakes.set(outcome, (this.#wakes.get(outcome) ?? 0) + 1)
    if (outcome !== 'ready') return
    const seconds = ms / 1000
    this.#wakeCount++
    this.#wakeSeconds += seconds
    BUCKETS_SEC.forEach((bound, index) => {
      if (seconds <= bound) this.#buckets[index]++
    })
  }

  crashed(reason: FailureReason): void {
    this.#crashes.set(reason, (this.#crashes.get(reason) ?? 0) + 1)
  }

  primed(outcome: PrimingOutcome): void {
    this.#primings.set(outcome, (this.#primings.get(outcome) ?? 0) + 1)
  }

  /** What a sweep of the reaper came to. */
  reaped(counts: Record<ReapOutcome, number>): void {
    for (const outcome of REAP_OUTCOMES) this.#reaps[outcome] += counts[outcome]
  }

  /** Prometheus' text format. */
  render({ agents, waking, queued }: AgentGauges): string {
    const lines = [
      ...family('mosaic_agents', 'gauge', 'Agents by their last known status.'),
      ...Object.entries(agents).map(
        ([status, count]) => `mosaic_agents{status="${status}"} ${count}`
      ),
      ...family('mosaic_agents_waking', 'gauge', 'Agents that wake just now.'),
      `mosaic_agents_waking ${waking}`,
      ...family('mosaic_agents_queued', 'gauge', 'Agents in line at the start gate.'),
      `mosaic_agents_queued ${queued}`,
      ...family('mosaic_agent_wakes_total', 'counter', 'Wakes by how they ended.'),
      ...samples('mosaic_agent_wakes_total', 'outcome', this.#wakes),
      ...family('mosaic_agent_crashes_total', 'counter', 'Agents that ended by themselves.'),
      ...samples('mosaic_agent_crashes_total', 'reason', this.#crashes),
      ...family(
        'mosaic_agent_primings_total',
        'counter',
        'Agents made ready for a first message, by how it ended.'
      ),
      ...samples('mosaic_agent_primings_total', 'outcome', this.#primings),
      ...family(
        'mosaic_agent_reaps_total',
        'counter',
        'Agents that nobody used, by what became of them.'
      ),
      ...REAP_OUTCOMES.map(
        (outcome) => `mosaic_agent_reaps_total{outcome="${outcome}"} ${this.#reaps[outcome]}`
      ),
      ...family('mosaic_agent_wake_seconds', 'histogram', 'How long wakes took that ended ready.'),
      ...BUCKETS_SEC.map(
        (bound, index) => `mosaic_agent_wake_seconds_bucket{le="${bound}"} ${this.#buckets[index]}`
      ),
      `mosaic_agent_wake_seconds_bucket{le="+Inf"} ${this.#wakeCount}`,
      `mosaic_agent_wake_seconds_sum ${this.#wakeSeconds}`,
      `mosaic_agent_wake_seconds_count ${this.#wakeCount}`,
    ]
    return `${lines.join('\n')}\n`
  }
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function samples(name: string, label: string, counts: Map<string, number>): string[] {
  return [...counts].map(([value, count]) => `${name}{${label}="${value}"} ${count}`)
}
