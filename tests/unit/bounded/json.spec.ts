import { test } from '@japa/runner'
import { parseJson } from '#bounded/json'

test.group('JSON of an external sender', () => {
  test('is parsed like any other', ({ assert }) => {
    for (const value of [null, 1, 'a "quoted" [{ \\', [[1, { a: ['\\'] }]], { '{[': '}]' }]) {
      assert.deepEqual(parseJson(JSON.stringify(value)), value)
    }
    for (const text of ['', '{', '"', '"\\"', '[1,]']) assert.throws(() => parseJson(text))
  })

  test('is refused if it is nested more deeply than anyone needs', ({ assert }) => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`
    assert.doesNotThrow(() => JSON.stringify(parseJson(nested(500))))
    assert.throws(() => parseJson(nested(502)), /nested too deeply/)
  })

  test('may contain as many brackets in its texts as it likes', ({ assert }) => {
    const text = '[{'.repeat(300_000)
    assert.equal(parseJson(JSON.stringify(text)), text)
  })

  test('is refused if it has more objects and lists than anyone needs', ({ assert }) => {
    assert.doesNotThrow(() => parseJson(`[${'{},'.repeat(200_000)}{}]`))
    assert.throws(() => parseJson(`[${'{},'.repeat(300_000)}{}]`), /too many parts/)
  })
})
