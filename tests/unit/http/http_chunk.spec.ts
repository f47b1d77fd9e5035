import { test } from '@japa/runner'
import { httpChunk } from '#http/http_chunk'

const latin1 = (text: string) => Buffer.from(text).toString('latin1')

test.group('A chunk of an HTTP body', () => {
  test('has its length in bytes, as a hexadecimal number, and all its text', ({ assert }) => {
    const chunk = httpChunk(latin1('data: é\n\ndata: two\n\n'), false)
    assert.equal(chunk, latin1('15\r\ndata: é\n\ndata: two\n\n\r\n'))
  })

  test('that is the last has the end of the body behind it', ({ assert }) => {
    assert.equal(httpChunk('data: two\n\n', true), 'b\r\ndata: two\n\n\r\n0\r\n\r\n')
  })

  test('of nothing is no chunk, which would end the body', ({ assert }) => {
    assert.equal(httpChunk('', false), '')
    assert.equal(httpChunk('', true), '0\r\n\r\n')
  })
})
