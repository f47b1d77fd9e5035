import { test } from '@japa/runner'
import type { DockerDriverConfig } from '#runtimes/drivers/docker/driver'
import { testEngine, type Engine } from '#tests/engine/engine'
import { DockerTrial, HERE, removeNetworks } from '#tests/contracts/docker_trial'

const given = testEngine()
if (given?.isPrivate) tlsOn(given)

function tlsOn(engine: Engine): void {
  const { host, client, stranger } = engine.behindTls
  const settings = async () => ({ host, pullPolicy: 'never' as const })

  test.group('Runtime | docker | behind TLS', (group) => {
    let trial: DockerTrial

    group.each.setup(async () => {
      trial = await DockerTrial.prepare(engine, { settings, certificates: client })
      return () => trial.close()
    })
    group.teardown(() => removeNetworks(engine, [HERE]))

    test('starts agents, tells of them, and hands them their token in a volume', async ({
      assert,
    }) => {
      const driver = await trial.open(HERE)
      assert.deepEqual(await driver.preflight(), [])
      const events = driver.events(new AbortController().signal)[Symbol.asyncIterator]()
      const wanted = trial.spec()
      const instance = await trial.start(wanted, driver)
      const { value } = await events.next()
      assert.containsSubset(value, { type: 'started', name: wanted.name })

      const { Mounts } = await engine.docker.getContainer(instance.id).inspect()
      assert.deepEqual(Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`).toSorted(), [
        'volume /home/node/.openclaw',
        'volume /run/mosaic',
      ])
      await driver.stop(instance, { graceMs: 5000 })
      assert.equal((await driver.inspect(instance))?.status, 'exited')
    })

    const cases: [title: string, config: Partial<DockerDriverConfig>, said: RegExp][] = [
      ['says so where it has no certificate', { certificates: null }, /TLS/],
      ['says so where its certificate is a stranger’s', { certificates: stranger }, /certificate/],
      ['says so where there are no certificates', { certificates: '/nowhere' }, /\/nowhere/],
    ]
    for (const [title, config, said] of cases) {
      test(title, async ({ assert }) => {
        const driver = await trial.open(HERE)
        await driver.callback()
        const other = await trial.open(HERE, config)
        const [finding, ...more] = await other.preflight()
        assert.isEmpty(more)
        assert.equal(finding.code, 'docker_unreachable')
        assert.match(finding.message, said)
        assert.include(finding.hint, 'DOCKER_CERT_PATH')
        const { reason } = await trial.failureOf(other, trial.spec())
        assert.equal(reason, 'engine_unreachable')
      })
    }
  })
}
