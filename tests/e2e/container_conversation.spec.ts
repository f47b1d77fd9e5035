import { test } from '@japa/runner'
import { AGENT_HOST } from '#runtimes/launch'
import { Canaries } from '#tests/e2e/canaries'
import { ContainerHome, HANDED, STATE } from '#tests/e2e/container_home'
import { firstJourney } from '#tests/e2e/first_journey'
import { testEngine, type Engine } from '#tests/engine/engine'

/** A secret of Mosaic's own environment that must not reach agents. */
const ENVIRONMENT = 'canary-of-the-environment-9154'

const engine = testEngine()
if (engine) journeyOn(engine)

function journeyOn(given: Engine): void {
  const { docker } = given
  const home = new ContainerHome(given)

  firstJourney('From a fresh database to a conversation, with the agent in a container', {
    env: { ...home.env, SOMETHING_ELSE: ENVIRONMENT },
    settings: { 'runtime.driver': 'docker', 'runtime.image': given.openclawImage },
    running: () => home.running(),
    async leaks(mosaic, { secrets }) {
      const [agent] = await home.agents()
      const more = {
        'key of the installation': mosaic.secretKey,
        'environment of Mosaic': ENVIRONMENT,
        'token of the agent': await home.tokenOf(agent),
      }
      return home.leaks(agent, new Canaries({ ...secrets, ...more }))
    },
    close: () => home.close(),

    tests() {
      test('its container is hardened', async ({ assert }) => {
        const [agent, ...others] = await home.agents()
        assert.isEmpty(others)
        const { HostConfig, Config, NetworkSettings, Mounts } = agent
        assert.containsSubset(HostConfig, {
          Privileged: false,
          CapDrop: ['ALL'],
          ReadonlyRootfs: true,
          Init: true,
          PublishAllPorts: false,
          MemorySwap: HostConfig.Memory,
          RestartPolicy: { Name: 'no' },
        })
        for (const limit of ['Memory', 'PidsLimit', 'NanoCpus'] as const) {
          assert.isAbove(HostConfig[limit]!, 0)
        }
        assert.include(HostConfig.SecurityOpt, 'no-new-privileges')
        assert.isEmpty(HostConfig.CapAdd ?? [])
        assert.isEmpty(HostConfig.Devices ?? [])
        assert.isEmpty(Object.values(NetworkSettings.Ports).filter(Boolean))
        for (const mode of [HostConfig.NetworkMode, HostConfig.PidMode, HostConfig.IpcMode]) {
          assert.notEqual(mode, 'host')
        }
        assert.equal(Config.User, '1000:1000')
        assert.equal(Config.Hostname, AGENT_HOST)
        assert.sameMembers(
          Mounts.map(({ Destination, RW }) => `${Destination} ${RW ? 'writable' : 'read-only'}`),
          [`${STATE} writable`, `${HANDED} read-only`]
        )
      })

      test('no process of it has a capability, or a way to get one', async ({ assert }) => {
        const [{ Id }] = await home.agents()
        const pids = given.processesOf(Id)
        assert.isNotEmpty(pids)
        for (const pid of pids) {
          const status = given.readProcess(pid, 'status')
          for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb']) {
            assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'))
          }
          assert.match(status, /^NoNewPrivs:\s*1$/m)
          assert.match(status, /^Uid:\s*1000\s+1000\s+1000\s+1000$/m)
        }
      })

      test('it leaves its image as it was', async ({ assert }) => {
        const [{ Id }] = await home.agents()
        const changes: { Path: string }[] = (await docker.getContainer(Id).changes()) ?? []
        /** Mounts create their mount points in the container. */
        const mounts = [HANDED, STATE, '/tmp', '/sbin/docker-init']
        const others = changes
          .map(({ Path }) => Path)
          .filter((path) => !mounts.some((mount) => `${mount}/`.startsWith(`${path}/`)))
        assert.isEmpty(others)
      })
    },
  })
}
