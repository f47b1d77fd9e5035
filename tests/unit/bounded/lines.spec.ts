import { Readable } from 'node:stream'
import { test } from '@japa/runner'
import { LineCutter, readLines } from '#bounded/lines'

const limits = { what: 'The line', maxLineBytes: 16 }

test.group('Bounded lines', () => {
  test('are cut wherever the pieces end', async ({ assert }) => {
    const text = 'one\r\ntwo ü\n\nfour\nrest'
    for (const size of [1, 2, 3, 100]) {
      const bytes = Buffer.from(text)
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size)
      )
      const lines = await Array.fromAsync(readLines(Readable.from(parts), limits))
      assert.deepEqual(lines, ['one', 'two ü', '', 'four', 'rest'])
    }
  })

  test('may be endlessly many', async ({ assert }) => {
    const cutter = new LineCutter(limits)
    for (let count = 0; count < 1000; count++) {
      assert.lengthOf(cutter.push(Buffer.from('a line\n')), 1)
    }
    assert.isNull(cutter.end())
  })

  test('are refused when one has no end', async ({ assert }) => {
    const cutter = new LineCutter(limits)
    assert.throws(() => {
      for (let count = 0; count < 100; count++) cutter.push(Buffer.from('x'))
    }, /The line is larger than 16 bytes/)
    assert.throws(() => new LineCutter(limits).push(Buffer.from(`${'x'.repeat(17)}\n`)))
    const stream = Readable.from([Buffer.from('fine\n'), Buffer.alloc(100)])
    await assert.rejects(() => Array.fromAsync(readLines(stream, limits)), /larger than/)
    assert.isTrue(stream.destroyed)
  })
})
