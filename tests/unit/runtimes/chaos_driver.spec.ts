import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { RuntimeError } from '#runtimes/errors'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { ChaosDriver } from '#tests/doubles/chaos_driver'
import type { InstanceSpec } from '#runtimes/contract'

const SPEC: InstanceSpec = {
  name: 'mosaic-user-1',
  agent: 'user/1',
  installation: 'here',
  generation: 1,
  hash: 'a',
  apiUrl: 'http://127.0.0.1:9',
  token: new Secret('token'),
  image: null,
  limits: { memoryMb: 512, cpus: 1, processes: 64 },
}

test.group('Runtime | chaos', (group) => {
  let memory: MemoryDriver

  group.each.setup(() => {
    memory = new MemoryDriver({}, 'here')
    return () => memory.close()
  })

  const patient = () => ({ signal: new AbortController().signal })

  test('changes nothing unless it is told to', async ({ assert }) => {
    const driver = new ChaosDriver(memory)
    const instance = await driver.ensure(SPEC, patient())
    assert.equal((await driver.inspect(instance))!.status, 'running')
    assert.lengthOf(await Array.fromAsync(driver.list()), 1)
    assert.deepEqual(driver.calls, { ensure: 1, inspect: 1, list: 1 })
  })

  test('is slow', async ({ assert }) => {
    const driver = new ChaosDriver(memory)
    driver.chaos.ensure = { slow: 60 }
    const began = performance.now()
    await driver.ensure(SPEC, patient())
    assert.isAtLeast(performance.now() - began, 59)
  })

  test('never answers, but lets a caller leave', async ({ assert }) => {
    const driver = new ChaosDriver(memory)
    driver.chaos.all = { never: true }
    const signal = AbortSignal.timeout(20)
    await assert.rejects(() => driver.ensure(SPEC, { signal }))
    assert.equal(memory.counts(SPEC.name).starts, 0)
  })

  test('is bad, without having done anything', async ({ assert }) => {
    const driver = new ChaosDriver(memory)
    driver.chaos.ensure = { bad: 'no_capacity' }
    const error = await driver.ensure(SPEC, patient()).catch((thrown) => thrown)
    assert.instanceOf(error, RuntimeError)
    assert.equal(error.reason, 'no_capacity')
    assert.equal(memory.counts(SPEC.name).starts, 0)
  })

  test('is flaky as the dice fall', async ({ assert }) => {
    const dice = [0.1, 0.9]
    const driver = new ChaosDriver(memory, () => dice.shift()!)
    driver.chaos.all = { flaky: 0.5 }
    await assert.rejects(() => driver.ensure(SPEC, patient()), RuntimeError)
    assert.equal((await driver.ensure(SPEC, patient())).name, SPEC.name)
  })

  test('loses an answer after the work was done', async ({ assert }) => {
    const driver = new ChaosDriver(memory)
    driver.chaos.ensure = { lost: true }
    await assert.rejects(() => driver.ensure(SPEC, patient()), RuntimeError)
    assert.equal(memory.counts(SPEC.name).starts, 1)
  })

  test('has no more abilities than the driver it wraps', ({ assert }) => {
    const capabilities = { ...memory.capabilities, suspend: false, events: false }
    const plain = Object.create(memory, { capabilities: { value: capabilities } })
    const driver = new ChaosDriver(plain)
    assert.isUndefined(driver.suspend)
    assert.isUndefined(driver.events)
  })
})
