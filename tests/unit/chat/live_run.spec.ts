import { test } from '@japa/runner'
import { LiveRun } from '#chat/live_run'

test.group('The record of an answer under way', () => {
  test('stays whole however often one tool tells its output', ({ assert }) => {
    const run = new LiveRun('Count', true)
    const output = 'x'.repeat(8000)
    for (let update = 0; update < 1000; update++) run.event('tool', { id: 't1', output, update })
    assert.isTrue(run.isWhole)
  })

  test('is not whole any more once there is too much of it', ({ assert }) => {
    const run = new LiveRun('Count', true)
    const text = 'x'.repeat(1024 * 1024)
    for (let piece = 0; piece < 5; piece++) run.event('delta', { text })
    assert.isFalse(run.isWhole)
  })
})
