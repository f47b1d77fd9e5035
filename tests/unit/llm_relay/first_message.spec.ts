import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { HeldBytes } from '#bounded/held_bytes'
import { beginningOf } from '#llm_relay/first_message'
import { MessageReader } from '#llm_relay/message_reader'

const open = () => new Readable({ read() {} })

test.group('The first message of an answer', () => {
  test('is waited for past comments, white space and pings', async ({ assert }) => {
    for (const pieces of [
      [': a\n', '\n', ': b\n\n', 'event: ping\ndata: {}\n\n', 'data: {"choi', 'ces":[]}\n\n'],
      ['\n', '  \n', '{"a"', ':1}'],
    ]) {
      const body = open()
      let isKnown = false
      const beginning = beginningOf(body, 60_000).finally(() => (isKnown = true))
      for (const piece of pieces) {
        assert.isFalse(isKnown)
        body.push(piece)
        await turn()
        await turn()
      }
      body.push(null)
      const { error, body: whole } = await beginning
      assert.isNull(error)
      assert.equal(await text(whole), pieces.join(''))
    }
  })

  test('is not waited for in what is no message', async ({ assert }) => {
    const body = open()
    body.push('on')
    const { error } = await beginningOf(body, 60_000)
    assert.isNull(error)
  })

  test('is not waited for longer than a while, nor past its limit', async ({ assert }) => {
    const slow = open()
    slow.push(': waiting\n\n')
    const held = await beginningOf(slow, 1)
    slow.push(null)
    assert.equal(await text(held.body), ': waiting\n\n')

    const large = open()
    large.push(`{"text":"${'x'.repeat(100_000)}`)
    const { error } = await beginningOf(large, 60_000)
    assert.isNull(error)
  })

  test('is waited for past long opening events while there is room for them, until the answer is read', async ({
    assert,
  }) => {
    const kb = 1024
    const opening = (size: number) =>
      `data: ${JSON.stringify({ type: 'response.created', instructions: 'x'.repeat(size) })}\n\n`
    const refusal = 'data: {"type":"error","error":{"message":"overloaded"}}\n\n'
    const held = new HeldBytes({ ofOne: 300 * kb, ofAll: 400 * kb })
    const answer = async (holder: string, sizes: number[], room?: HeldBytes) => {
      const body = open()
      const beginning = beginningOf(body, 60_000, holder, room)
      for (const size of sizes) {
        body.push(opening(size))
        await turn()
        await turn()
      }
      body.push(refusal)
      body.push(null)
      return beginning
    }

    const one = await answer('user/one', [100 * kb, 100 * kb], held)
    assert.equal(one.error?.message, 'overloaded')
    assert.isAtLeast(held.bytes, 100 * kb)
    const second = await answer('user/one', [100 * kb, 100 * kb, 100 * kb], held)
    assert.isNull(second.error, 'no more room for this agent')
    const other = await answer('user/other', [100 * kb, 100 * kb], held)
    assert.isNull(other.error, 'no more room for all')
    const long = await answer('user/long', Array(4).fill(100 * kb))
    assert.equal(long.error?.message, 'overloaded')
    const endless = await answer('user/endless', Array(6).fill(100 * kb))
    assert.isNull(endless.error, 'longer than any opening')

    for (const { body } of [one, second, other, long, endless]) {
      assert.include(await text(body), 'overloaded')
    }
    assert.equal(held.bytes, 0)
  })

  test('that breaks off is an error of the connection', async ({ assert }) => {
    const body = open()
    const beginning = beginningOf(body, 60_000)
    body.push('data: {"choices"')
    await turn()
    body.destroy(new Error('reset'))
    await assert.rejects(() => beginning, 'reset')
  })
})

test.group('The messages of an answer', () => {
  const messages = (answer: string, size: number) => {
    const reader = new MessageReader(1000)
    const bytes = Buffer.from(answer)
    const found = []
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...reader.read(bytes.subarray(at, at + size)))
    }
    return [...found, ...reader.end()].map(({ event, data, isCut }) => [
      event,
      data,
      ...(isCut ? [true] : []),
    ])
  }

  test('are the same however a network cuts them', ({ assert }) => {
    for (const size of [1, 2, 5, 10_000]) {
      assert.deepEqual(
        messages('\uFEFF: hi\r\n\r\nevent: a\ndata: é\ndata: 2\n\ndata:3\nid: 1\n\ndata: 4', size),
        [
          ['a', 'é\n2'],
          [null, '3'],
          [null, '4'],
        ]
      )
      assert.deepEqual(messages('[{"a":"}\\"{"},\n {"b":{"c":[1]}}]\n{\n}\n', size), [
        [null, '{"a":"}\\"{"}'],
        [null, '{"b":{"c":[1]}}'],
        [null, '{\n}'],
      ])
      assert.deepEqual(messages(`data: ${'x'.repeat(2000)}\n\ndata: 1\n\n`, size), [
        [null, `data: ${'x'.repeat(2000)}`, true],
        [null, '1'],
      ])
      assert.deepEqual(messages('plain text', size), [])
    }
  })
})
