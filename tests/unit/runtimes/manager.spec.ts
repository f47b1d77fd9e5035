import { test } from '@japa/runner'
import { RuntimeManager } from '#runtimes/manager'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

function manager(installation = async () => 'here') {
  return new RuntimeManager(
    { default: 'first', drivers: { first: (given) => new MemoryDriver({}, given.installation) } },
    installation
  )
}

test.group('Runtime | manager', () => {
  test('makes a driver when it is first used, and only once', async ({ assert }) => {
    const runtimes = manager()
    const [one, two] = await Promise.all([runtimes.use(), runtimes.use('first')])
    assert.strictEqual(one, two)
  })

  test('takes the driver of a plugin', async ({ assert }) => {
    const runtimes = manager()
    const driver = new MemoryDriver()
    runtimes.extend('second', () => driver)
    assert.deepEqual(runtimes.names(), ['first', 'second'])
    assert.strictEqual(await runtimes.use('second'), driver)
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
    await assert.rejects(() => manager().use('typo'), 'There is no runtime driver "typo".')
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
