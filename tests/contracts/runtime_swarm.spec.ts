import { test } from '@japa/runner'
import { SwarmDriver } from '#runtimes/drivers/swarm/driver'
import { runtimeSuite } from '#tests/contracts/runtime'
import { SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm } from '#tests/engine/swarm'

const swarm = testSwarm()

if (swarm) {
  const unset = { scripts: '', image: '', internalPort: 0, settings: () => Promise.reject() }
  const { capabilities } = new SwarmDriver(unset, '')
  runtimeSuite(test, {
    name: 'swarm',
    capabilities,
    hasNodes: true,
    prepare: () => SwarmTrial.prepare(swarm),
  })
}
