import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from '@japa/runner'
import { E_TOO_MANY_ANSWERS } from '#chat/errors'
import { LiveRun } from '#chat/live_run'
import { LiveRuns } from '#chat/live_runs'
import { EventStream } from '#http/event_stream'
import { STREAM_TIMING } from '#http/stream_timing'

const MEGABYTE = 'x'.repeat(1024 * 1024)

/** The response to a client that is gone already. */
function leftResponse(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket())).destroy()
}

/** Reads back what a page that joins now is told. */
function toldBy(run: LiveRun): string[] {
  const names: string[] = []
  const stream = { event: (name: string) => names.push(name), end() {}, release() {} }
  const response = { once() {} } as unknown as ServerResponse
  run.follow(stream as unknown as EventStream, response)
  return names
}

test.group('The record of an answer under way', () => {
  test('stays whole however often one tool tells its output', ({ assert }) => {
    const run = new LiveRun('Count', true)
    const output = 'x'.repeat(8000)
    for (let update = 0; update < 1000; update++) run.event('tool', { id: 't1', output, update })
    assert.isTrue(run.isWhole)
  })

  test('leaves out what the agent did before it leaves out what it says', ({ assert }) => {
    const run = new LiveRun('Count', true)
    run.event('delta', { text: 'One' })
    for (let tool = 0; tool < 5; tool++) run.event('tool', { id: `t${tool}`, output: MEGABYTE })
    run.event('reasoning', { text: 'Hm' })
    run.event('delta', { text: 'Two' })
    assert.isTrue(run.isWhole)
    assert.deepEqual(toldBy(run), ['question', 'delta', 'tool', 'reasoning', 'delta'])
  })

  test('ends at once for a page that joins after the run has ended', ({ assert }) => {
    const run = new LiveRun('Count', true)
    run.event('delta', { text: 'One' })
    run.end()
    const told: string[] = []
    const stream = { event: (name: string) => told.push(name), end: () => told.push('end') }
    run.follow(stream as unknown as EventStream, leftResponse())
    assert.deepEqual(told, ['question', 'delta', 'end'])
  })

  test('is not whole any more once there is too much of it', ({ assert }) => {
    const run = new LiveRun('Count', true)
    for (let piece = 0; piece < 5; piece++) run.event('delta', { text: MEGABYTE })
    assert.isFalse(run.isWhole)
    assert.deepEqual(toldBy(run), ['question'])
  })

  test('keeps no question of any length', ({ assert }) => {
    assert.isAtMost(new LiveRun(MEGABYTE.repeat(3), true).question.length, 1024 * 1024)
  })
})

test.group('Readers of an answer under way', () => {
  test('that left before they were registered have left', ({ assert }) => {
    const response = leftResponse()
    const run = new LiveRun('Count', false)
    run.begin(new EventStream(response, STREAM_TIMING), response)
    assert.isTrue(run.destroyed)
  })

  test('that left are kept nothing for', ({ assert }) => {
    const stream = new EventStream(leftResponse(), STREAM_TIMING)
    assert.isTrue(stream.write(MEGABYTE))
    assert.isFalse(stream.opened)
    stream.release()
  })
})

test.group('Answers under way', (group) => {
  const start = { question: 'Count', background: true }
  let runs: LiveRuns
  group.each.setup(() => void (runs = new LiveRuns()))

  test('outlive their readers up to a limit, in one conversation too', ({ assert }) => {
    for (let run = 0; run < 8; run++) assert.isTrue(runs.begin('user/1', 'c1', start).background)
    assert.isFalse(runs.begin('user/1', 'c1', start).background)
    assert.isTrue(runs.begin('user/2', 'c1', start).background)
  })

  test('are joined up to that limit', ({ assert }) => {
    const joined = Array.from({ length: 8 }, (_, index) =>
      runs.join('user/1', `c${index}`, { question: 'Count' })
    )
    assert.throws(() => runs.join('user/1', 'c8', { question: 'Count' }), E_TOO_MANY_ANSWERS)
    runs.end('user/1', joined[3])
    assert.isTrue(runs.join('user/1', 'c8', { question: 'Count' }).background)
  })

  test('of one conversation are stopped together, and the latest is found', async ({ assert }) => {
    const [first, second] = [runs.begin('user/1', 'c1', start), runs.begin('user/1', 'c1', start)]
    const other = runs.begin('user/1', 'c2', start)
    assert.equal(runs.find('user/1', 'c1'), second)
    const stopping = runs.stop('user/1', 'c1')
    for (const run of [first, second]) runs.end('user/1', run)
    assert.isTrue(await stopping)
    assert.deepEqual(
      [first, second, other].map(({ destroyed }) => destroyed),
      [true, true, false]
    )
    assert.isNull(runs.find('user/1', 'c1'))
  })
})
