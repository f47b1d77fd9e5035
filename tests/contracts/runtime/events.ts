import type { RuntimeDriver } from '#runtimes/contract'
import { DEADLINE_MS, NOTICED_MS, HERE, type RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** Events of instances, in order and across an outage of the engine. */
export function eventTests(test: SuiteTest, stage: RuntimeStage): void {
  const { spec, refOf, start, listed, observedAs } = stage

  test('tells what happens to an instance, in order', async ({ assert }) => {
    const events = listen(stage.driver)
    const instance = await start(spec())
    await stage.trial.kill(instance)
    await observedAs(instance.name, 'exited', assert)
    await stage.driver.remove(instance)
    assert.deepEqual(await events.first(3), [
      `started ${instance.name}`,
      `exited ${instance.name}`,
      `removed ${instance.name}`,
    ])
  })

  test('notices the end of an instance that a former driver started', async ({ assert }) => {
    const instance = await start(spec())
    await stage.driver.close?.()
    const next = await stage.trial.open(HERE)
    const events = listen(next)
    await listed(next)
    await stage.trial.kill(instance)
    assert.deepEqual(await events.first(1), [`exited ${instance.name}`])
  })

  test('notices that another process suspends an instance that it started', async ({ assert }) => {
    if (!stage.driver.suspend) return
    const instance = await start(spec())
    await listed()
    const events = listen(stage.driver)
    const other = await stage.trial.open(HERE)
    await other.suspend!(instance)
    assert.deepEqual(await events.first(1), [`suspended ${instance.name}`])
    await other.resume!(instance)
  })

  test('tells events again after the engine was away', async ({ assert }) => {
    // Drivers without an engine cannot lose one.
    if (!stage.trial.restartEngine) return
    const [fallen, second] = [spec(), spec()]
    await start(fallen)
    const events = listen(stage.driver, 2 * DEADLINE_MS)
    await listed()
    await stage.trial.restartEngine()
    await start(second)
    await stage.driver.remove(refOf(second))
    assert.includeMembers(await events.until(`removed ${second.name}`), [
      ...(stage.gaps.survivesEngine ? [] : [`exited ${fallen.name}`]),
      'interrupted ',
      `started ${second.name}`,
      `removed ${second.name}`,
    ])
  }).timeout(4 * DEADLINE_MS)

  test('ends its events with the signal', async ({ assert }) => {
    const listener = new AbortController()
    const seen = Array.fromAsync(stage.driver.events!(listener.signal))
    listener.abort()
    assert.deepEqual(await seen, [])
  })
}

/** Collects a driver's events from now on. */
function listen(driver: RuntimeDriver, withinMs = NOTICED_MS) {
  const listener = new AbortController()
  const events = driver.events!(listener.signal)[Symbol.asyncIterator]()
  const gather = async (isEnough: (seen: string[]) => boolean): Promise<string[]> => {
    const seen: string[] = []
    const deadline = AbortSignal.timeout(withinMs)
    deadline.addEventListener('abort', () => listener.abort(), { once: true })
    while (!isEnough(seen)) {
      const { value, done } = await events.next()
      if (done) break
      seen.push(`${value.type} ${value.name}`)
    }
    listener.abort()
    return seen
  }
  return {
    first: (count: number) => gather((seen) => seen.length >= count),
    until: (event: string) => gather((seen) => seen.includes(event)),
  }
}
