import { test } from '@japa/runner'
import { runtimeSuite, type RuntimeTrial } from '#tests/contracts/runtime'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryNodes } from '#tests/doubles/memory_runtime/nodes'
import { plantIn } from '#tests/doubles/memory_runtime/plant'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'

const capabilities = new MemoryDriver().capabilities
const ofNodes = { ...capabilities, multiNode: true, placement: true }

async function prepare(isSpread = false, isShared = false): Promise<RuntimeTrial> {
  const world = new MemoryWorld()
  const machines = [{ name: 'one' }, { name: 'other' }]
  if (isSpread) world.nodes = new MemoryNodes(world.instances, machines, { isShared })
  const open = async (installation: string) => new MemoryDriver({ world }, installation)
  return {
    open,
    apiUrl: 'http://127.0.0.1:9',
    kill: async ({ name }) => (await open('any')).crash(name, 137),
    plant: (name) => plantIn(world, name),
    close: async () => (await open('any')).reset(),
  }
}

runtimeSuite(test, { name: 'memory', capabilities, prepare: () => prepare() })
runtimeSuite(test, {
  name: 'memory of two machines, each with its own data',
  capabilities: ofNodes,
  hasNodes: true,
  prepare: () => prepare(true),
})
runtimeSuite(test, {
  name: 'memory of two machines that share data',
  capabilities: ofNodes,
  hasNodes: true,
  prepare: () => prepare(true, true),
})
