import { test } from '@japa/runner'
import { RuntimeManager } from '#runtimes/manager'
import type { RuntimeDriverContext } from '#runtimes/define_config'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

const LAUNCH = { storage: '/data', openclaw: ['/data/openclaw'], entrypoint: '/app/entrypoint.sh' }

/** A name as a row holds it: literals have to be declared. */
const fromRow = (name: string) => name

function manager(installation = async () => 'here') {
  return new RuntimeManager(
    {
      default: 'first',
      launch: LAUNCH,
      drivers: { first: (given) => new MemoryDriver({}, given.installation) },
    },
    installation
  )
}

test.group('Runtime | manager', () => {
  test('makes a driver when it is first used, and only once', async ({ assert }) => {
    const runtimes = manager()
    const [one, two] = await Promise.all([runtimes.use(), runtimes.use(fromRow('first'))])
    assert.strictEqual(one, two)
  })

  test('takes the driver of a plugin', async ({ assert }) => {
    const runtimes = manager()
    const driver = new MemoryDriver()
    runtimes.extend('second', () => driver)
    assert.deepEqual(runtimes.names(), ['first', 'second'])
    assert.strictEqual(await runtimes.use(fromRow('second')), driver)
  })

  test('tells a driver what it needs to start OpenClaw, in a storage folder of its own', async ({
    assert,
  }) => {
    const runtimes = manager()
    let told: RuntimeDriverContext | undefined
    runtimes.extend('second', (context) => {
      told = context
      return new MemoryDriver()
    })
    await runtimes.use(fromRow('second'))
    assert.containSubset(told, {
      installation: 'here',
      launch: {
        storage: '/data/runtimes/second',
        launcher: '/app/entrypoint.sh',
        node: process.execPath,
      },
    })
    assert.throws(() => told!.launch.openclaw(), /OpenClaw is not installed in \/data\/openclaw/)
  })

  test('works with a double until that is taken away', async ({ assert }) => {
    const runtimes = manager()
    const own = await runtimes.use()
    const double = runtimes.fake(new MemoryDriver(), 'first')
    assert.strictEqual(await runtimes.use(), double)
    runtimes.restore('first')
    assert.strictEqual(await runtimes.use(), own)
  })

  test('says where to name a driver that it does not know', async ({ assert }) => {
    await assert.rejects(() => manager().use(fromRow('typo')), 'There is no runtime driver "typo".')
  })

  test('tries again after a driver could not be made', async ({ assert }) => {
    let asked = 0
    const runtimes = manager(async () => {
      if (++asked === 1) throw new Error('The database is away')
      return 'here'
    })
    await assert.rejects(() => runtimes.use(), 'The database is away')
    assert.equal((await runtimes.use()).name, 'memory')
  })
})
