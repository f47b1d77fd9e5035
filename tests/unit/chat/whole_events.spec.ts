import { test } from '@japa/runner'
import { WholeEvents } from '#chat/whole_events'

const EVENTS = ['data: one', 'event: two\ndata: 2', ': three']

test.group('Whole events of a stream', () => {
  test('come as soon as they are complete, wherever the stream is cut: {name}')
    .with([
      { name: 'LF', lineEnd: '\n' },
      { name: 'CRLF', lineEnd: '\r\n' },
    ])
    .run(({ assert }, { lineEnd }) => {
      const text = EVENTS.map((event) => `${event}\n\n`.replaceAll('\n', lineEnd)).join('')
      for (let size = 1; size <= text.length; size++) {
        const events = new WholeEvents()
        let passed = ''
        for (let at = 0; at < text.length; at += size) {
          passed += events.take(Buffer.from(text.slice(at, at + size)))?.toString() ?? ''
          const received = text.slice(0, at + size)
          const complete = received.lastIndexOf(lineEnd + lineEnd)
          const whole = complete === -1 ? '' : received.slice(0, complete + 2 * lineEnd.length)
          assert.equal(passed, whole, `in pieces of ${size}`)
        }
        assert.isFalse(events.isInside)
        assert.equal(events.rest().length, 0)
      }
    })
})
