import { E_PLACEMENT_IGNORED } from '#agents/system_agents/errors'
import type { AgentsContext } from '#agents/context'
import type { NodeLabels } from '#models/types'

/** Refuses labels of nodes that the runtime in use would ignore. */
export class PlacementRule {
  readonly #context: Pick<AgentsContext, 'runtimes' | 'settings'>

  constructor(context: Pick<AgentsContext, 'runtimes' | 'settings'>) {
    this.#context = context
  }

  /** @throws E_PLACEMENT_IGNORED */
  async check(placement: NodeLabels | null | undefined): Promise<void> {
    if (!placement) return
    const { runtimes, settings } = this.#context
    const runtime = await settings.get('runtime.driver')
    const driver = runtimes.names().includes(runtime) ? await runtimes.use(runtime) : null
    if (!driver?.capabilities.placement) throw new E_PLACEMENT_IGNORED(runtime)
  }
}
