import { Secret } from '@adonisjs/core/helpers'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import type { MemoryWorld } from '#tests/doubles/memory_runtime/world'

/** Starts an instance of this name without Mosaic. Returns a check that it still runs untouched. */
export async function plantIn(world: MemoryWorld, name: string): Promise<() => Promise<boolean>> {
  const installation = 'somebody else'
  const foreign = new MemoryDriver({ world }, installation)
  const { id } = await foreign.ensure(
    {
      name,
      agent: 'user/foreign',
      installation,
      generation: 1,
      hash: 'foreign',
      apiUrl: '',
      token: new Secret('foreign'),
      image: null,
      limits: { memoryMb: 1, cpus: 1, processes: 1 },
    },
    { signal: new AbortController().signal }
  )
  return async () => {
    const seen = await foreign.inspect({ name, state: null })
    return seen?.id === id && seen.status === 'running'
  }
}
