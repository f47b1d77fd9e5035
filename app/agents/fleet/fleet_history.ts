import type { AgentsContext } from '#agents/context'
import type { AgentGauges } from '#agents/metrics'

/** A day of minutes: enough to see what happened, and some 100 kB. */
const MOST_SAMPLES = 24 * 60

/** The fleet at one moment. `at` is ISO 8601 in UTC. */
export interface FleetSample extends AgentGauges {
  at: string
}

/** How the fleet was lately, since this process began to look: for a chart, so it may be lost. */
export class FleetHistory {
  readonly #samples: FleetSample[] = []

  constructor(
    protected context: Pick<AgentsContext, 'clock'>,
    protected gauges: () => Promise<AgentGauges>
  ) {}

  /** Looks once. Gives back what it saw. */
  async sample(): Promise<FleetSample> {
    const at = new Date(this.context.clock.now()).toISOString()
    const sample = { at, ...(await this.gauges()) }
    this.#samples.push(sample)
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift()
    return sample
  }

  /** The oldest first. */
  list(): FleetSample[] {
    return [...this.#samples]
  }
}
