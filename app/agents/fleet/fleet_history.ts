import type { AgentsContext } from '#agents/context'
import type { AgentGauges } from '#agents/metrics'

/** One day of one-minute samples, about 100 kB. */
const MOST_SAMPLES = 24 * 60

/** The fleet at one moment. `at` is ISO 8601 in UTC. */
export interface FleetSample extends AgentGauges {
  at: string
}

/** Recent fleet samples for a chart, since this process started. Kept in memory only. */
export class FleetHistory {
  readonly #samples: FleetSample[] = []

  constructor(
    protected context: Pick<AgentsContext, 'clock'>,
    protected gauges: () => Promise<AgentGauges>
  ) {}

  /** Takes and returns one sample. */
  async sample(): Promise<FleetSample> {
    const at = new Date(this.context.clock.now()).toISOString()
    const sample = { at, ...(await this.gauges()) }
    this.#samples.push(sample)
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift()
    return sample
  }

  /** Returns the samples, oldest first. */
  list(): FleetSample[] {
    return [...this.#samples]
  }
}
