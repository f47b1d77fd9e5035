import { impostorOf } from '#tests/contracts/impostor'
import type { HostileTrial } from '#tests/contracts/runtime_hostile'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'

/** Runs the memory driver in a separate world, in which `plant` does nothing. */
export async function memoryTrial(): Promise<HostileTrial> {
  const world = new MemoryWorld()
  const open = async (installation: string) => new MemoryDriver({ world }, installation)
  return {
    open,
    apiUrl: 'http://127.0.0.1:9',
    kill: async ({ name }) => (await open('any')).crash(name),
    plant: async () => async () => true,
    elsewhere: (notes) => ({ ...notes, engine: 'another' }),
    impersonate: impostorOf,
    close: async () => (await open('any')).reset(),
  }
}
