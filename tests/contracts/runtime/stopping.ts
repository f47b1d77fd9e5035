import { HERE, ELSEWHERE, type RuntimeStage } from '#tests/contracts/runtime/stage'
import { rejectsWithCode, type SuiteTest } from '#tests/contracts/suite'

/** Stopping, removing and purging: what goes, what stays, and what belongs to others. */
export function stoppingTests(test: SuiteTest, stage: RuntimeStage): void {
  const { never, spec, refOf, start, chat, listed, answers, observedAs } = stage

  test('starts a killed instance again, with its data', async ({ assert }) => {
    const given = spec()
    const first = await start(given)
    await chat(first, given, 'before')
    await stage.trial.kill(first)
    await observedAs(given.name, 'exited', assert)

    const second = await start(given)
    assert.notEqual(second.id, first.id)
    assert.equal(await chat(second, given, 'after'), 'Turn 2: after')
  })

  test('stops, which is no failure', async ({ assert }) => {
    const instance = await start(spec())
    await stage.driver.stop(instance, { graceMs: 5000 })
    assert.isFalse(await answers(instance.endpoint))
    const observed = await stage.driver.inspect(instance)
    assert.equal(observed!.status, 'exited')
    assert.isNull(observed!.endpoint)
    assert.isNull(observed!.failure)
  })

  test('stops twice, at once or one after another', async ({ assert }) => {
    const instance = await start(spec())
    const stop = () => stage.driver.stop(instance, { graceMs: 5000 })
    await Promise.all([stop(), stop()])
    await stop()
    assert.isFalse(await answers(instance.endpoint))
  })

  test('takes a missing instance for stopped, removed and purged', async () => {
    const missing = refOf(spec())
    await stage.driver.stop(missing, { graceMs: 0 })
    await stage.driver.remove(missing)
    await stage.driver.purge(missing)
  })

  test('keeps the data over a stop', async ({ assert }) => {
    const given = spec()
    const first = await start(given)
    await chat(first, given, 'one')
    await stage.driver.stop(first, { graceMs: 5000 })
    assert.equal(await chat(await start(given), given, 'two'), 'Turn 2: two')
  })

  test('removes the instance and keeps the data', async ({ assert }) => {
    const given = spec()
    const first = await start(given)
    await chat(first, given, 'one')
    await stage.driver.remove(first)
    assert.isNull(await stage.driver.inspect(first))
    assert.lengthOf(await listed(), 0)
    assert.isFalse(await answers(first.endpoint))
    assert.equal(await chat(await start(given), given, 'two'), 'Turn 2: two')
  })

  test('purges the data of one agent and of no other', async ({ assert }) => {
    const [doomed, kept] = [spec(), spec()]
    const [first, other] = [await start(doomed), await start(kept)]
    await chat(first, doomed, 'one')
    await chat(other, kept, 'one')
    await stage.driver.purge(first)

    assert.isNull(await stage.driver.inspect(first))
    assert.equal(await chat(await start(doomed), doomed, 'new'), 'Turn 1: new')
    assert.equal(await chat(other, kept, 'two'), 'Turn 2: two')
  })

  test('neither shows nor touches what another installation made', async ({ assert }) => {
    const other = await stage.trial.open(ELSEWHERE)
    const given = spec({ installation: ELSEWHERE })
    const instance = await start(given, other)

    assert.lengthOf(await listed(), 0)
    assert.isNull(await stage.driver.inspect(instance))
    await stage.driver.stop(instance, { graceMs: 0 })
    await stage.driver.remove(instance)
    await stage.driver.purge(instance)
    await rejectsWithCode(
      assert,
      () => stage.driver.ensure({ ...given, installation: HERE }, never()),
      'E_RUNTIME_NAME_TAKEN'
    )
    assert.equal(await chat(instance, given, 'still here', other), 'Turn 1: still here')
  })

  test('leaves a foreign thing of the same name as it is', async ({ assert }) => {
    const given = spec()
    const isUntouched = await stage.trial.plant(given.name)
    await rejectsWithCode(assert, () => stage.driver.ensure(given, never()), 'E_RUNTIME_NAME_TAKEN')
    await stage.driver.stop(refOf(given), { graceMs: 0 })
    await stage.driver.remove(refOf(given))
    await stage.driver.purge(refOf(given))
    assert.isTrue(await isUntouched())
  })
}
