import { test } from '@japa/runner'
import { runtimeDataSuite } from '#tests/contracts/runtime_data'
import { SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm } from '#tests/engine/swarm'

const swarm = testSwarm()

if (swarm) {
  runtimeDataSuite(test, {
    name: 'swarm',
    prepare: () => SwarmTrial.prepare(swarm),
    timeoutMs: 300_000,
  })
}
