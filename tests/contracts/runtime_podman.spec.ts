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
      // Its containers say that they were killed, and not by whom.
      outOfMemory: true,
      // Each container is watched by a process of its own; the service only answers questions.
      survivesEngine: true,
    },
  })
}
