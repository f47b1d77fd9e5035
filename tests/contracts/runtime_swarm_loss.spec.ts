import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { inParallel } from '#timing/in_parallel'
import { LABEL } from '#runtimes/engine/labels'
import type { SwarmDriver } from '#runtimes/drivers/swarm/driver'
import type { Instance, InstanceSpec } from '#runtimes/contract'
import { until } from '#tests/contracts/until'
import { HERE, SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm, type Swarm } from '#tests/engine/swarm'

/** Spread over both nodes by the swarm itself. */
const AGENTS = Number(process.env.MOSAIC_TEST_SWARM_AGENTS ?? 40)
const AT_ONCE = 4
/** Long enough for a busy machine; the figure of the run is printed. */
const TEST_MS = 15 * 60_000
/** A swarm notices a lost node after 15 seconds. */
const NOTICED_MS = 120_000

const swarm = testSwarm()

if (swarm) lossOf(swarm)

/** Returns the results in the order of the items. */
async function inTurns<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>) {
  const results = new Map<Item, Result>()
  await inParallel(items, AT_ONCE, async (item) => void results.set(item, await work(item)))
  return items.map((item) => results.get(item)!)
}

function lossOf({ worker, manager, shared }: Swarm): void {
  test.group('Runtime | swarm, loss of a node', (group) => {
    let trial: SwarmTrial
    let driver: SwarmDriver

    group.each.timeout(TEST_MS)
    group.each.setup(() => async () => {
      await swarm!.reconnect()
      await trial.close()
    })

    async function prepare(sharedPath: string | null): Promise<void> {
      trial = await SwarmTrial.prepare(swarm!, { sharedPath })
      driver = await trial.open(HERE)
    }

    const small = { memoryMb: 192, cpus: 1, processes: 64 }

    /** Starts the agents, has each answer once, and returns those of the worker. */
    async function startAll(): Promise<InstanceSpec[]> {
      const specs = Array.from({ length: AGENTS }, () => trial.spec({}, { limits: small }))
      const places = await inTurns(specs, async (spec) => {
        const instance = await trial.start(spec)
        await trial.chat(instance, spec)
        return instance.endpoint
      })
      const atWorker = specs.filter((_, at) => new URL(places[at]).hostname === worker.address)
      if (atWorker.length === 0) throw new Error('The swarm placed no agent on the worker')
      return atWorker
    }

    const observed = ({ name }: InstanceSpec) => driver.inspect({ name, state: null })

    /** The running copies of an agent, on both nodes; their engines answer even when cut off. */
    async function copies({ name }: InstanceSpec): Promise<number> {
      const filters = { label: [`${LABEL.name}=${name}`], status: ['running'] }
      const found = await Promise.all(
        [manager, worker].map(({ docker }) => docker.listContainers({ filters }))
      )
      return found.flat().length
    }

    async function lose(specs: InstanceSpec[]): Promise<void> {
      await swarm!.cutOff()
      await until(async () => (await observed(specs[0]))?.status === 'exited', NOTICED_MS)
    }

    test('agents with shared data answer from the other node, each once', async ({ assert }) => {
      await prepare(shared)
      const lost = await startAll()
      const began = performance.now()
      await lose(lost)
      const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
      const noticed = seconds()
      const instances = await Promise.all(lost.map((spec) => trial.start(spec)))
      const answered = seconds()
      for (const [at, { endpoint }] of instances.entries()) {
        assert.equal(new URL(endpoint).hostname, manager.address)
        assert.equal(await trial.chat(instances[at], lost[at]), 'Turn 2: hi')
        assert.equal(await copies(lost[at]), 1)
      }
      console.log(
        `      ${lost.length} of ${AGENTS} agents: noticed after ${noticed} s, all ready after ${answered} s`
      )
      await swarm!.reconnect()
      await until(async () => (await driver.preflight()).length === 0, NOTICED_MS)
      for (const spec of lost) assert.equal(await copies(spec), 1)
    })

    test('agents with data on the lost node say so, and come back with it', async ({ assert }) => {
      await prepare(null)
      const lost = await startAll()
      const [asleep, ...awake] = lost
      await driver.stop({ name: asleep.name, state: null })
      await lose(awake)
      const secrets = await trial.names('secrets')
      for (let generation = 2; generation < 4; generation++) {
        const hash = randomUUID()
        const woken = { ...asleep, generation, hash, token: new Secret(`token-${hash}`) }
        const failure = await driver.ensure(woken, trial.patient()).catch((error) => error)
        assert.equal(failure.reason, 'engine_unreachable')
      }
      assert.sameMembers(await trial.names('secrets'), secrets)
      for (const spec of awake) {
        const seen = await observed(spec)
        assert.equal(seen?.failure?.reason, 'engine_unreachable')
        assert.match(seen!.failure!.message, /node worker is lost/)
        const failure = await driver.ensure(spec, trial.patient()).catch((error) => error)
        assert.equal(failure.reason, 'engine_unreachable')
      }
      await swarm!.reconnect()
      const instances: Instance[] = []
      for (const spec of lost) {
        const back = async () => driver.ensure(spec, trial.patient()).catch(() => null)
        await until(back, NOTICED_MS)
        instances.push(await trial.start(spec))
      }
      for (const [at, instance] of instances.entries()) {
        assert.equal(new URL(instance.endpoint).hostname, worker.address)
        assert.equal(await trial.chat(instance, lost[at]), 'Turn 2: hi')
        assert.equal(await copies(lost[at]), 1)
      }
    })
  })
}
