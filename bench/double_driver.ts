import type { InstanceSpec, Observed, RuntimeDriver } from '#runtimes/contract'

/** The part of a spec that a double keeps. */
export type Started = Pick<InstanceSpec, 'name' | 'agent' | 'hash' | 'generation'>

interface DoubleOptions {
  name: string
  endpointOf(agent: string): string
  /** What runs already. */
  running?: Started[]
}

/** A runtime in memory that starts nothing: the gateways of its instances are elsewhere. */
export function doubleDriver({ name: runtime, endpointOf, running = [] }: DoubleOptions) {
  let started = 0
  const observed = ({ name, agent, hash, generation }: Started): Observed => ({
    name,
    agent,
    id: `instance-${started++}`,
    generation,
    specHash: hash,
    status: 'running',
    endpoint: endpointOf(agent),
    startedAt: new Date(),
    exitCode: null,
    outOfMemory: false,
    failure: null,
    state: {},
  })
  const instances = new Map(running.map((spec) => [spec.name, observed(spec)]))
  return {
    name: runtime,
    capabilities: {
      isolation: 'none',
      suspend: false,
      limits: false,
      multiNode: false,
      events: false,
    },
    async ensure(spec) {
      const present = instances.get(spec.name)
      const instance = present?.specHash === spec.hash ? present : observed(spec)
      instances.set(spec.name, instance)
      return { name: spec.name, id: instance.id, endpoint: instance.endpoint!, state: {} }
    },
    stop: async ({ name }) => void instances.delete(name),
    inspect: async ({ name }) => instances.get(name) ?? null,
    list: async function* () {
      yield* instances.values()
    },
    remove: async ({ name }) => void instances.delete(name),
    purge: async ({ name }) => void instances.delete(name),
    logs: async function* () {},
    preflight: async () => [],
  } satisfies RuntimeDriver
}
