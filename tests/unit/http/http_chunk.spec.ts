import { test } from '@japa/runner'
import { httpChunk } from '#http/http_chunk'

const pieces = ['data: é\n\n', 'data: two\n\n'].map((text) => Buffer.from(text))

test.group('A chunk of an HTTP body', () => {
  test('has its length in bytes, as a hexadecimal number, and all its pieces', ({ assert }) => {
    assert.equal(httpChunk(pieces, false).toString(), '15\r\ndata: é\n\ndata: two\n\n\r\n')
  })

  test('that is the last has the end of the body behind it', ({ assert }) => {
    assert.equal(httpChunk(pieces.slice(1), true).toString(), 'b\r\ndata: two\n\n\r\n0\r\n\r\n')
  })

  test('of nothing is no chunk, which would end the body', ({ assert }) => {
    assert.equal(httpChunk([], false).toString(), '')
    assert.equal(httpChunk([], true).toString(), '0\r\n\r\n')
  })
})
