import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from '@japa/runner'
import { withJsonOf } from '#llm_relay/call_body'
import { E_AGENT_CALL_TOO_LARGE, E_AGENT_CALLS_FULL } from '#llm_relay/errors'
import { HeldBytes } from '#bounded/held_bytes'
import { ReplayableBody } from '#llm_relay/replayable_body'

/** 100 bytes of JSON in pieces. */
const BODY = JSON.stringify({ text: 'x'.repeat(89) })
const body = () => Readable.from([...BODY].map((sign) => Buffer.from(sign)))

test.group('A call that is answered in place', () => {
  test('counts as held until its answer is there', async ({ assert }) => {
    const held = new HeldBytes({ ofOne: 150, ofAll: 250 })
    const { promise: answered, resolve: answer } = Promise.withResolvers<string>()
    const call = (holder: string, read = () => {}) =>
      withJsonOf(body(), 1000, holder, () => (read(), answered), held)
    const answers: Promise<string>[] = []
    for (const holder of ['user/a', 'user/b']) {
      await new Promise<void>((read) => answers.push(call(holder, read)))
    }
    assert.equal(held.bytes, 200)
    await assert.rejects(() => call('user/a'), E_AGENT_CALLS_FULL)
    await assert.rejects(() => call('user/c'), E_AGENT_CALLS_FULL)
    answer('done')
    assert.deepEqual(await Promise.all(answers), ['done', 'done'])
    assert.equal(held.bytes, 0)
  })

  test('is held no longer where it is too large or no JSON', async ({ assert }) => {
    const held = new HeldBytes({ ofOne: 1000, ofAll: 1000 })
    const use = async () => assert.fail('handed on')
    await assert.rejects(() => withJsonOf(body(), 99, 'a', use, held), E_AGENT_CALL_TOO_LARGE)
    const told = withJsonOf(Readable.from(['{']), 99, 'a', async (json) => json, held)
    assert.isNull(await told, 'no JSON')
    assert.equal(held.bytes, 0)
  })
})

test.group('A call that is passed on', () => {
  test('is kept as long as there is room, and goes on whole in any case', async ({ assert }) => {
    const held = new HeldBytes({ ofOne: 150, ofAll: 1000 })
    const calls = [1, 2].map(() => new ReplayableBody(body(), 1000, 'user/a', held))
    for (const call of calls) assert.equal(await text(call.open()), BODY)
    assert.deepEqual(
      calls.map(({ isKept }) => isKept),
      [true, false]
    )
    assert.equal(held.bytes, 100)
    for (const call of calls) call.release()
    assert.equal(held.bytes, 0)
  })
})
