import type { RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** Suspending, resuming, paging out and measuring. */
export function suspendingTests(test: SuiteTest, stage: RuntimeStage): void {
  const { never, spec, refOf, start, chat, answers } = stage

  test('suspends and resumes, as often as it is told', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    await stage.driver.suspend!(instance)
    await stage.driver.suspend!(instance)
    assert.equal((await stage.driver.inspect(instance))!.status, 'suspended')
    assert.isFalse(await answers(instance.endpoint, 200))

    await stage.driver.resume!(instance)
    await stage.driver.resume!(instance)
    assert.equal((await stage.driver.inspect(instance))!.status, 'running')
    assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')
  })

  test('lets a suspended instance go on when it is wanted', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    await stage.driver.suspend!(instance)
    assert.deepEqual(await stage.driver.ensure(given, never()), instance)
    assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')
  })

  test('stops a suspended instance in time', async ({ assert }) => {
    const instance = await start(spec())
    await stage.driver.suspend!(instance)
    await stage.driver.stop(instance, { graceMs: 5000 })
    assert.equal((await stage.driver.inspect(instance))!.status, 'exited')
  })

  test('a page-out gives way to a resume, and the instance is as it was', async ({ assert }) => {
    if (!stage.driver.pageOut) return
    const given = spec()
    const instance = await start(given)
    const { signal } = new AbortController()
    // Has no effect on a running instance.
    await stage.driver.pageOut(instance, { signal })
    await stage.driver.suspend!(instance)
    const pageOut = stage.driver.pageOut(instance, { signal })
    await stage.driver.resume!(instance)
    await pageOut
    assert.equal((await stage.driver.inspect(instance))!.status, 'running')
    assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')

    await stage.driver.suspend!(instance)
    await stage.driver.pageOut(instance, { signal })
    assert.equal((await stage.driver.inspect(instance))!.status, 'suspended')
    await stage.driver.resume!(instance)
    assert.equal(await chat(instance, given, 'still here'), 'Turn 2: still here')
    await stage.driver.pageOut(refOf(spec()), { signal })
  })

  test('tells what an instance takes, running and suspended, and of none nothing', async ({
    assert,
  }) => {
    if (!stage.driver.usage) return
    const instance = await start(spec())
    const running = await stage.driver.usage(instance)
    // The engine of some trials is on another machine.
    if (running) assert.isAbove(running.resident, 0)
    await stage.driver.suspend!(instance)
    const suspended = await stage.driver.usage(instance)
    assert.equal(suspended === null, running === null)
    await stage.driver.stop(instance, { graceMs: 1000 })
    assert.isNull(await stage.driver.usage(refOf(spec())))
    const machine = await stage.driver.memory?.()
    if (machine) assert.isAtMost(machine.available, machine.total)
  })

  test('has nothing to suspend or resume where nothing is', async () => {
    await stage.driver.suspend!(refOf(spec()))
    await stage.driver.resume!(refOf(spec()))
  })
}
