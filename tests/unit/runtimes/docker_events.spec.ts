import { test } from '@japa/runner'
import { DockerDriver } from '#runtimes/drivers/docker/driver'
import { FakeEngine } from '#tests/doubles/fake_engine'
import { until } from '#tests/contracts/until'

test.group('Docker driver | events', (group) => {
  let engine: FakeEngine
  let ended: AbortController
  /** Reads the settings, as from a database. */
  let settings: () => Promise<object>
  let driver: DockerDriver

  group.each.setup(async () => {
    engine = new FakeEngine()
    await engine.start()
    ended = new AbortController()
    settings = async () => ({})
    const environment = { DOCKER_HOST: `unix://${engine.socket}` }
    const fixed = { entrypoint: '', image: 'image', internalPort: 0, firewall: false }
    driver = new DockerDriver({ ...fixed, environment, settings: () => settings() }, 'here')
    return async () => {
      ended.abort()
      await driver.close()
      await engine.stop()
    }
  })

  const watches = () => engine.received.filter(({ path }) => path === '/events').length
  const list = () => Array.fromAsync(driver.list()).catch(() => [])

  test('are watched once the engine opens that did not at first', async ({ assert }) => {
    settings = () => Promise.reject(new Error('no database'))
    const events = driver.events(ended.signal)[Symbol.asyncIterator]()
    await list()
    assert.equal(watches(), 0)
    settings = async () => ({})
    await list()
    await until(async () => watches() === 1)
    assert.equal((await events.next()).value.type, 'interrupted')
  })

  test('are watched once after each change of the settings', async ({ assert }) => {
    const events = driver.events(ended.signal)[Symbol.asyncIterator]()
    await until(async () => watches() === 1)
    settings = async () => ({ pullPolicy: 'never' })
    await list()
    await until(async () => watches() === 2)
    assert.equal((await events.next()).value.type, 'interrupted')
    await list()
    assert.equal(watches(), 2)
  })

  test('are not watched where nobody listens', async ({ assert }) => {
    await list()
    assert.equal(watches(), 0)
  })
})
