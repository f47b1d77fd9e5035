import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { runtimeSuite, type RuntimeTrial } from '#tests/contracts/runtime'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'

const capabilities = new MemoryDriver().capabilities

async function prepare(): Promise<RuntimeTrial> {
  const world = new MemoryWorld()
  const open = async (installation: string) => new MemoryDriver({ world }, installation)
  return {
    open,
    apiUrl: 'http://127.0.0.1:9',
    kill: async ({ name }) => (await open('any')).crash(name, 137),
    plant: async (name) => {
      const foreign = new MemoryDriver({ world }, 'somebody else')
      const { id } = await foreign.ensure(
        {
          name,
          agent: 'user/foreign',
          installation: 'somebody else',
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
    },
    close: async () => (await open('any')).reset(),
  }
}

runtimeSuite(test, { name: 'memory', capabilities, prepare })
