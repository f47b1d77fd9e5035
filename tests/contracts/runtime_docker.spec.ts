import { test } from '@japa/runner'
import { testEngine } from '#tests/engine/engine'
import { DockerDriver } from '#runtimes/drivers/docker'
import { runtimeContract } from '#tests/contracts/runtime'
import { DockerTrial, removeNetworks } from '#tests/contracts/docker_trial'

const engine = testEngine()

if (engine) {
  const { capabilities } = new DockerDriver({ entrypoint: '', image: '', internalPort: 0 }, '')

  runtimeContract('docker', capabilities, () => DockerTrial.prepare(engine))

  test.group('Runtime | docker', (group) => {
    group.teardown(() => removeNetworks(engine, ['installation-here', 'installation-elsewhere']))
  })
}
