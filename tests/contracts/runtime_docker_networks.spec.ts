import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import { testEngine, type Engine } from '#tests/engine/engine'
import { removeNetworks } from '#tests/contracts/docker_trial'
import { Outside } from '#tests/contracts/outside'
import type { SeenFromContainer } from '#tests/contracts/docker_in_container'

const run = promisify(execFile)

const PROGRAM = new URL('./docker_in_container.ts', import.meta.url).pathname
const DEADLINE_MS = 100_000

const given = testEngine()
if (given) networksOn(given)

function networksOn(engine: Engine): void {
  const { docker } = engine

  test.group('Runtime | docker | Mosaic in a container', (group) => {
    let container: string
    let netns: string
    let installation: string

    group.each.setup(async () => {
      installation = `installation-${randomUUID()}`
      const made = await docker.createContainer({
        Image: engine.gatewayImage,
        Entrypoint: ['sleep', '600'],
      })
      await made.start()
      container = made.id
      const { State } = await made.inspect()
      netns = `${process.env.MOSAIC_TEST_DOCKER_PROC ?? '/proc'}/${State.Pid}/ns/net`
      return async () => {
        await made.remove({ force: true })
        await removeNetworks(engine, [installation])
      }
    })

    async function fromContainer(
      egress: 'open' | 'sealed',
      mode: 'look' | 'live',
      places: string[] = []
    ): Promise<SeenFromContainer> {
      const chosen = [container, installation, egress, mode, ...places]
      const words = ['--import=@poppinss/ts-exec', PROGRAM, ...chosen]
      const { stdout } = await run('nsenter', [`--net=${netns}`, process.execPath, ...words], {
        timeout: DEADLINE_MS,
      })
      return JSON.parse(stdout.trim().split('\n').at(-1)!)
    }

    test('gives each agent a network that only Mosaic joins', async ({ assert }) => {
      const seen = await fromContainer('sealed', 'live')
      assert.deepEqual(seen.findings, [])
      assert.deepEqual(seen.callback, { host: 'mosaic-internal', listen: null })
      const [during, after] = seen.networks
      assert.lengthOf(during, 2)
      for (const name of during) assert.match(name, /^mosaic-user-[0-9a-f]{8}-sealed$/)
      assert.deepEqual(after, [])
      assert.equal(seen.gateway, 200)
      assert.equal(seen.reached.mosaic, 'connected')
      assert.notEqual(seen.reached.peer, 'connected')
      assert.notInclude(['connected', 'ECONNREFUSED'], seen.reached.machine)
      assert.isTrue(seen.rejoined)
      assert.deepEqual(seen.replica, { isIn: true, hasLeft: true })
    }).timeout(DEADLINE_MS)

    test('tells how to close the way to the machine and to private networks where egress is open', async ({
      assert,
    }) => {
      const before = await fromContainer('open', 'look')
      const [finding] = before.findings
      assert.equal(finding.code, 'network_guard_missing')
      const [, commands] = /at each boot: (iptables .*?)\. Or seal/.exec(finding.hint)!
      const outside = await Outside.open()
      const places = [outside.privateAddress, outside.publicAddress].map(
        (host) => `${host}:${outside.port}`
      )
      await run('sh', ['-c', commands])
      const seen = await fromContainer('open', 'live', places).finally(async () => {
        await run('sh', ['-c', commands.replaceAll(' -I ', ' -D ')])
        await outside.close()
      })
      assert.deepEqual(seen.findings, [])
      assert.equal(seen.reached.mosaic, 'connected')
      assert.notEqual(seen.reached.peer, 'connected')
      assert.notInclude(['connected', 'ECONNREFUSED'], seen.reached.machine)
      assert.deepEqual(seen.outside, ['timeout', 'connected'])
    }).timeout(2 * DEADLINE_MS)
  })
}
