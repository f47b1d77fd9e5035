import type { AgentKey } from '#agents/types'
import type { Observed, RuntimeDriver } from '#runtimes/contract'
import { agentAt, endpointAt, nameAt, RUNTIME, type ScaleOrders } from './orders.js'

/**
 * A runtime in memory whose gateways are in another process, so that this one's memory is Mosaic's own. The
 * agents that are awake run already.
 */
export function scaleDriver({ awake, gatewayPort }: ScaleOrders): RuntimeDriver {
  const running = new Map<string, Observed>()
  for (let index = 0; index < awake; index++) {
    const about = { name: nameAt(index), agent: agentAt(index), hash: 'spec', generation: 1 }
    running.set(about.name, observed(about, `instance-${index}`))
  }
  let started = 0

  function observed(
    spec: { name: string; agent: string; hash: string; generation: number },
    id: string
  ): Observed {
    const index = Number(spec.agent.slice(spec.agent.lastIndexOf('-') + 1))
    return {
      name: spec.name,
      agent: spec.agent as AgentKey,
      id,
      generation: spec.generation,
      specHash: spec.hash,
      status: 'running',
      endpoint: endpointAt(index, gatewayPort),
      startedAt: new Date(),
      exitCode: null,
      outOfMemory: false,
      failure: null,
      state: {},
    }
  }

  return {
    name: RUNTIME,
    capabilities: {
      isolation: 'none',
      suspend: false,
      limits: false,
      multiNode: false,
      events: false,
    },
    async ensure(spec) {
      const present = running.get(spec.name)
      const instance =
        present?.specHash === spec.hash ? present : observed(spec, `started-${started++}`)
      running.set(spec.name, instance)
      return { name: spec.name, id: instance.id, endpoint: instance.endpoint!, state: {} }
    },
    stop: async ({ name }) => void running.delete(name),
    inspect: async ({ name }) => running.get(name) ?? null,
    list: async function* () {
      yield* running.values()
    },
    remove: async ({ name }) => void running.delete(name),
    purge: async ({ name }) => void running.delete(name),
    logs: async function* () {},
    preflight: async () => [],
  }
}
