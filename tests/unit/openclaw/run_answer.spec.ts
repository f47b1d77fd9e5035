import { test } from '@japa/runner'
import { usageOf } from '#openclaw/call_usage'
import { RunAnswer } from '#openclaw/run_answer'

const KEY = 'agent:main:web:c1'

/** Events as OpenClaw 2026.9.6 sends them, shortened. */
const assistant = (text: string, more: object = {}, runId = 'r1') => ({
  event: 'agent',
  payload: { sessionKey: KEY, runId, stream: 'assistant', data: { text, itemId: 'i:1', ...more } },
})
const chat = (state: string, text = '', runId = 'r1') => ({
  event: 'chat',
  payload: {
    ...{ sessionKey: KEY, runId, state },
    message: { role: 'assistant', content: [{ type: 'text', text }] },
  },
})

test.group('The answer of a run', () => {
  const textsOf = (answer: RunAnswer, events: { event: string; payload: object }[]) =>
    events
      .flatMap((event) => answer.read(event))
      .map((event) => (event.kind === 'text' ? event.text : event.kind))

  test('is what each event adds to the text so far', ({ assert }) => {
    const answer = new RunAnswer(KEY, 'r1')
    const events = [
      assistant('one'),
      assistant('one two'),
      chat('delta', 'one two'),
      assistant('', { replace: true }),
      assistant('one two'),
      chat('final', 'one two three'),
    ]
    assert.deepEqual(textsOf(answer, events), ['one', ' two', ' three', 'end'])
  })

  test('misses nothing when it is joined late, and repeats nothing', ({ assert }) => {
    const adopted = new RunAnswer(KEY, null)
    assert.deepEqual(textsOf(adopted, [assistant('one two'), assistant('one two three')]), [
      'one two',
      ' three',
    ])
    const known = new RunAnswer(KEY, 'r1', 'one two')
    assert.deepEqual(textsOf(known, [assistant('one'), assistant('one two three')]), [' three'])
  })

  test('goes on with the next message of the run in a paragraph of its own', ({ assert }) => {
    const answer = new RunAnswer(KEY, 'r1')
    const events = [assistant('First.'), assistant('Sec', { itemId: 'i:2' })]
    const more = [assistant('Second.', { itemId: 'i:2' }), chat('final', 'Second.')]
    assert.deepEqual(textsOf(answer, [...events, ...more]), ['First.', '\n\nSec', 'ond.', 'end'])
  })

  test('ignores other runs and other sessions', ({ assert }) => {
    const answer = new RunAnswer(KEY, 'r1')
    const elsewhere = { ...assistant('x'), payload: { ...assistant('x').payload, sessionKey: 'y' } }
    assert.deepEqual(textsOf(answer, [assistant('x', {}, 'r2'), chat('final', 'x', 'r2')]), [])
    assert.deepEqual(textsOf(answer, [elsewhere]), [])
  })

  test('ends with a failure or a stop', ({ assert }) => {
    const read = (state: string, stopReason?: string) => {
      const { event, payload } = chat(state)
      return new RunAnswer(KEY, 'r1').read({ event, payload: { ...payload, stopReason } })
    }
    assert.deepEqual(read('error'), [{ kind: 'end', outcome: 'failed' }])
    assert.deepEqual(read('aborted', 'timeout'), [{ kind: 'end', outcome: 'failed' }])
    assert.deepEqual(read('aborted', 'rpc'), [{ kind: 'end', outcome: 'stopped' }])
  })

  test('counts cached input as input, and nothing for a call without usage', ({ assert }) => {
    const usage = { input: 60, output: 20, cacheRead: 40, cacheWrite: 0 }
    assert.deepEqual(usageOf(usage), { inputTokens: 100, outputTokens: 20 })
    assert.isNull(usageOf({ input: 0, output: 0 }))
    const message = { role: 'assistant', usage }
    const event = { event: 'session.message', payload: { sessionKey: KEY, message } }
    assert.deepEqual(new RunAnswer(KEY, 'r1').read(event), [
      { kind: 'usage', inputTokens: 100, outputTokens: 20 },
    ])
  })
})
