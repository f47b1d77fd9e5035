import { test } from '@japa/runner'
import { testEngine } from '#tests/engine/engine'
import { DockerDriver } from '#runtimes/drivers/docker/driver'
import { DockerTrial } from '#tests/contracts/docker_trial'
import { hostileAgentSuite } from '#tests/contracts/runtime_hostile'

const engine = testEngine()

if (engine) {
  const { capabilities } = new DockerDriver({ entrypoint: '', image: '', internalPort: 0 }, '')
  hostileAgentSuite(test, {
    name: 'docker',
    capabilities,
    prepare: () => DockerTrial.prepare(engine),
  })
}
