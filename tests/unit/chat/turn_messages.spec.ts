import { test } from '@japa/runner'
import { newTurn, wholeHistory } from '#chat/turn_messages'

const system = { role: 'system', content: 'Be brief.' }
const first = { role: 'user', content: 'One?' }
const answer = { role: 'assistant', content: 'One.' }
const second = { role: 'user', content: 'Two?' }

test.group('The new turn of a request', () => {
  test('what follows the last answer is kept, and the system messages', ({ assert }) => {
    assert.deepEqual(newTurn([system, first, answer, second]), [system, second])
  })

  test('a first message is kept with all that comes with it', ({ assert }) => {
    assert.deepEqual(newTurn([system, first, second]), [system, first, second])
  })

  test('several messages after the last answer all belong to the turn', ({ assert }) => {
    assert.deepEqual(newTurn([first, answer, second, first]), [second, first])
  })

  test("a tool's results keep the call that they answer", ({ assert }) => {
    const call = { role: 'assistant', tool_calls: [{ id: 'c1' }] }
    const result = { role: 'tool', tool_call_id: 'c1', content: '42' }
    assert.deepEqual(newTurn([system, first, call, result]), [system, call, result])
  })

  test('a list that ends with an answer asks for more of it', ({ assert }) => {
    const more = { role: 'user', content: 'Continue.' }
    assert.deepEqual(newTurn([system, first, answer]), [system, more])
    assert.deepEqual(newTurn([first, answer, system]), [system, more])
  })

  test('the messages given are left as they are', ({ assert }) => {
    const messages = [first, answer, second]
    newTurn(messages)
    assert.deepEqual(messages, [first, answer, second])
  })

  test('a request that stands alone keeps its whole history', ({ assert }) => {
    const messages = [system, first, answer, second]
    assert.strictEqual(wholeHistory(messages), messages)
  })

  test('a whole history that ends with an answer asks for more of it', ({ assert }) => {
    const more = { role: 'user', content: 'Continue.' }
    assert.deepEqual(wholeHistory([first, answer]), [first, answer, more])
    assert.deepEqual(wholeHistory([first, answer, system]), [first, answer, system, more])
  })
})
