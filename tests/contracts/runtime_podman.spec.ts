import { test } from '@japa/runner'
import { testEngine } from '#tests/engine/engine'
import { DockerDriver } from '#runtimes/drivers/docker/driver'
import { runtimeSuite } from '#tests/contracts/runtime'
import { DockerTrial } from '#tests/contracts/docker_trial'

const provided = testEngine()

if (provided) {
  const { capabilities } = new DockerDriver({ entrypoint: '', image: '', internalPort: 0 }, '')
  runtimeSuite(test, {
    name: 'podman',
    capabilities,
    prepare: () => DockerTrial.prepare(provided),
    gaps: {
      // Its containers report that they were killed, but not why.
      outOfMemory: true,
      // Each container has its own monitor process; the service only answers requests.
      survivesEngine: true,
    },
  })
}
