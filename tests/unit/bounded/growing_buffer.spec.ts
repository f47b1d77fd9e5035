import { test } from '@japa/runner'
import { GrowingBuffer } from '#bounded/growing_buffer'

test.group('A growing buffer', () => {
  test('gives back what was added, however it was cut', ({ assert }) => {
    const text = Buffer.from('abc'.repeat(5000))
    for (const size of [1, 7, 4096, 4097, text.length]) {
      const buffer = new GrowingBuffer()
      for (let at = 0; at < text.length; at += size) buffer.add(text.subarray(at, at + size))
      assert.equal(buffer.size, text.length)
      assert.equal(buffer.end(2).toString(), text.slice(-2))
      assert.isTrue(buffer.take().equals(text))
      assert.equal(buffer.size, 0)
      assert.lengthOf(buffer.end(2), 0)
    }
  })

  test('does not copy a single small piece, and never writes to it', ({ assert }) => {
    const piece = Buffer.alloc(3, 'one')
    const buffer = new GrowingBuffer()
    buffer.add(piece)
    assert.strictEqual(buffer.take(), piece)
    buffer.add(piece)
    buffer.add(Buffer.from(' and two'))
    assert.equal(buffer.take().toString(), 'one and two')
    assert.equal(piece.toString(), 'one')
  })

  test('keeps no large allocation alive for a short piece', ({ assert }) => {
    const large = Buffer.alloc(64 * 1024, 'x')
    const buffer = new GrowingBuffer()
    buffer.add(large.subarray(0, 3))
    assert.isBelow(buffer.take().buffer.byteLength, large.length)
  })
})
