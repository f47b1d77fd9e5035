import { createHash, randomUUID } from 'node:crypto'
import { Secret } from '@adonisjs/core/helpers'
import { isRuntimeError } from '#runtimes/errors'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { HERE, type RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** Milliseconds from a start until its caller leaves: shorter than any process start. */
const LEAVING_MS = 5

/** Starting: what a driver can do and lacks, and one instance per name for all callers. */
export function startingTests(test: SuiteTest, stage: RuntimeStage): void {
  const { never, spec, start, chat, listed } = stage

  test('says what it can do', ({ assert }) => {
    assert.deepEqual(stage.driver.capabilities, stage.capabilities)
    assert.equal(typeof stage.driver.suspend === 'function', stage.capabilities.suspend)
    assert.equal(typeof stage.driver.resume === 'function', stage.capabilities.suspend)
    assert.equal(typeof stage.driver.events === 'function', stage.capabilities.events)
  })

  test('gives findings with a next step', async ({ assert }) => {
    for (const finding of await stage.driver.preflight()) {
      assert.oneOf(finding.severity, ['error', 'warning'])
      for (const text of [finding.code, finding.message, finding.hint]) assert.isNotEmpty(text)
    }
  })

  test('finds no fault where an instance starts', async ({ assert }) => {
    await start(spec())
    const findings = await stage.driver.preflight()
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      []
    )
  })

  test('finds the fault where no instance starts', async ({ assert }) => {
    // Not every driver can lack something.
    if (!stage.trial.broken) return
    const broken = await stage.trial.broken()
    const failure = await broken.ensure(spec(), never()).then(
      () => null,
      (error: unknown) => error
    )
    assert.isTrue(isRuntimeError(failure), 'ensure rejects with a RuntimeError')
    const errors = (await broken.preflight()).filter(({ severity }) => severity === 'error')
    assert.isNotEmpty(errors, 'preflight has an error')
  })

  test('starts an instance whose gateway takes the token of the spec only', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    assert.match(instance.endpoint, /^http:\/\/[^/]+:\d+$/)
    assert.equal(await chat(instance, given, 'hello'), 'Turn 1: hello')

    const refused = await fetchBy(stage.driver)(`${instance.endpoint}/sessions/contract/history`, {
      headers: { authorization: 'Bearer another' },
    })
    assert.equal(refused.status, 401)
  })

  test('gives back the same instance for the same spec', async ({ assert }) => {
    const given = spec()
    const first = await start(given)
    assert.deepEqual(await stage.driver.ensure(given, never()), first)
    assert.lengthOf(await listed(), 1)
  })

  test('makes one instance for twenty callers at once', async ({ assert }) => {
    const given = spec()
    const calls = Array.from({ length: 20 }, () => stage.driver.ensure(given, never()))
    const ids = new Set((await Promise.all(calls)).map(({ id }) => id))
    assert.equal(ids.size, 1)
    assert.lengthOf(await listed(), 1)
  })

  test('makes one instance for callers of several drivers at once', async ({ assert }) => {
    const given = spec()
    const drivers = [stage.driver, await stage.trial.open(HERE), await stage.trial.open(HERE)]
    const calls = drivers.flatMap((one) => [one.ensure(given, never()), one.ensure(given, never())])
    const ids = new Set((await Promise.all(calls)).map(({ id }) => id))
    assert.equal(ids.size, 1)
  })

  test('keeps instances of different names apart', async ({ assert }) => {
    const [one, two] = [spec(), spec()]
    const instances = await Promise.all([start(one), start(two)])
    assert.notEqual(instances[0].endpoint, instances[1].endpoint)
    assert.sameMembers(
      (await listed()).map(({ name }) => name),
      [one.name, two.name]
    )
  })

  test('replaces the instance when its spec has changed, and keeps the data', async ({
    assert,
  }) => {
    const given = spec()
    const first = await start(given)
    await chat(first, given, 'before')
    const changed = { ...given, hash: 'f'.repeat(64), generation: 2 }
    const second = await start(changed)

    assert.notEqual(second.id, first.id)
    assert.equal(await chat(second, changed, 'after'), 'Turn 2: after')
    const [observed, ...others] = await listed()
    assert.lengthOf(others, 0)
    assert.equal(observed.specHash, changed.hash)
    assert.equal(observed.generation, 2)
  })

  test('takes the token of the present spec alone, after a restart or in place of another', async ({
    assert,
  }) => {
    const given = spec()
    await chat(await start(given), given, 'one')
    for (const [generation, sleeps] of [true, false].entries()) {
      if (sleeps) await stage.driver.stop({ name: given.name, state: null }, { graceMs: 2000 })
      const token = new Secret(randomUUID())
      const hash = createHash('sha256').update(token.release()).digest('hex')
      const renewed = { ...given, token, hash, generation: generation + 2 }
      const instance = await start(renewed)
      assert.match(await chat(instance, renewed, 'again'), /^Turn \d: again$/)
      const refused = await fetchBy(stage.driver)(
        `${instance.endpoint}/sessions/contract/history`,
        {
          headers: { authorization: `Bearer ${given.token.release()}` },
        }
      )
      assert.equal(refused.status, 401)
    }
  })

  test('starts no agent without the data that another engine has', async ({ assert }) => {
    const { elsewhere } = stage.trial
    if (!elsewhere) return
    const given = spec()
    const { name, state } = await start(given)
    await stage.driver.purge({ name, state })
    const away = { ...never(), state: elsewhere(state) }
    for (const verb of [
      () => stage.driver.ensure(given, away),
      async () => stage.driver.exportData?.({ name, state: away.state }, never()),
    ]) {
      const failure = await verb().then(
        () => null,
        (error: unknown) => error
      )
      assert.isTrue(isRuntimeError(failure))
      assert.propertyVal(failure, 'reason', 'data_stranded')
    }
    assert.lengthOf(await listed(), 0)
    assert.isNull((await stage.driver.exportData?.({ name, state }, never())) ?? null)
    await stage.driver.ensure(given, { ...never(), state })
  })

  test('starts nothing for a caller who has left already', async ({ assert }) => {
    const signal = AbortSignal.abort(new Error('left'))
    await assert.rejects(() => stage.driver.ensure(spec(), { signal }), 'left')
    assert.lengthOf(
      (await listed()).filter(({ status }) => status !== 'exited'),
      0
    )
  })

  test('leaves nothing running when the caller leaves in the middle', async ({ assert }) => {
    const given = spec()
    const caller = new AbortController()
    const leave = () => caller.abort(new Error('left'))
    // Progress reports are optional: without one, the caller leaves by the clock.
    const clock = setTimeout(leave, LEAVING_MS)
    const started = await stage.driver
      .ensure(given, { signal: caller.signal, onProgress: leave })
      .catch((error: Error) => error)
    clearTimeout(clock)
    if (started instanceof Error) {
      assert.equal(started.message, 'left')
      assert.lengthOf(
        (await listed()).filter(({ status }) => status !== 'exited'),
        0
      )
    }
    assert.equal(await chat(await start(given), given, 'later'), 'Turn 1: later')
  })
}
