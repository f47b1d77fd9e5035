import { DEADLINE_MS, HERE, type RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** Observing: what `inspect`, `list` and `logs` tell, to a new driver as well. */
export function observingTests(test: SuiteTest, stage: RuntimeStage): void {
  const { never, spec, refOf, start, chat, listed, answers, observedAs } = stage

  test('sees nothing where nothing is', async ({ assert }) => {
    assert.isNull(await stage.driver.inspect(refOf(spec())))
    assert.lengthOf(await listed(), 0)
  })

  test('sees what it started', async ({ assert }) => {
    const given = spec({ generation: 7 })
    const began = Date.now()
    const instance = await start(given)
    const observed = await stage.driver.inspect(instance)
    assert.containSubset(observed, {
      name: given.name,
      agent: given.agent,
      id: instance.id,
      generation: 7,
      specHash: given.hash,
      status: 'running',
      endpoint: instance.endpoint,
      exitCode: null,
      outOfMemory: false,
      failure: null,
      state: instance.state,
    })
    assert.closeTo(observed!.startedAt!.getTime(), began, DEADLINE_MS)
  })

  test('sees an instance that was killed from outside, and why', async ({ assert }) => {
    const instance = await start(spec())
    await stage.trial.kill(instance)
    const observed = await observedAs(instance.name, 'exited', assert)
    assert.isNull(observed.endpoint)
    assert.equal(observed.failure?.reason, 'exited_early')
  })

  test('lists what runs and what does not, each once', async ({ assert }) => {
    const [running, stopped] = [await start(spec()), await start(spec())]
    await stage.driver.stop(stopped, { graceMs: 5000 })
    const found = await listed()
    assert.sameMembers(
      found.map(({ name, status }) => `${name} ${status}`),
      [`${running.name} running`, `${stopped.name} exited`]
    )
  })

  test('is found again by a new driver', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    await stage.driver.close?.()

    const next = await stage.trial.open(HERE)
    assert.containSubset(await next.inspect(refOf(given)), { id: instance.id, status: 'running' })
    assert.deepEqual(
      (await listed(next)).map(({ id }) => id),
      [instance.id]
    )
    assert.deepEqual(await next.ensure(given, never()), instance)
    await next.stop(refOf(given), { graceMs: 5000 })
    assert.isFalse(await answers(instance.endpoint))
  })

  test('shows the last lines of a log, without the token', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    await chat(instance, given, given.token.release())
    const read = (tail: number) => Array.fromAsync(stage.driver.logs(instance, { tail }))

    const all = await read(1000)
    assert.isNotEmpty(all)
    assert.deepEqual(await read(1), all.slice(-1))
    assert.lengthOf(await read(0), 0)
    assert.notInclude(all.join('\n'), given.token.release())
    assert.lengthOf(await Array.fromAsync(stage.driver.logs(refOf(spec()), { tail: 10 })), 0)
  })
}
