import type { Dispatcher } from 'undici'
import { test } from '@japa/runner'
import { UpstreamCall, type Flow } from '#chat/upstream_call'

const PIECE = Buffer.alloc(16 * 1024)

/** A call whose gateway has answered, and what it was told to do. */
function answered() {
  const told: string[] = []
  const controller = {
    pause: () => told.push('pause'),
    resume: () => told.push('resume'),
    abort: () => told.push('abort'),
  } as unknown as Dispatcher.DispatchController
  let flow!: Flow
  const call = new UpstreamCall({
    begin: (_status, _headers, given) => (flow = given),
    receive: () => {},
    end: () => {},
  })
  call.onRequestStart(controller)
  const begin = () => call.onResponseStart(controller, 200, {})
  const receive = () => call.onResponseData(controller, PIECE)
  const interim = () => call.onResponseStart(controller, 103, {})
  return { told, begin, receive, interim, flow: () => flow }
}

const nextTurn = () => new Promise(setImmediate)

test.group('A call to a gateway', () => {
  test('lets other work run between the pieces of a fast answer', async ({ assert }) => {
    const { told, begin, receive } = answered()
    begin()
    receive()
    assert.deepEqual(told, [])
    receive()
    assert.deepEqual(told, ['pause'])
    await nextTurn()
    assert.deepEqual(told, ['pause', 'resume'])
  })

  test('goes on only when its receiver may, too', async ({ assert }) => {
    const { told, begin, receive, flow } = answered()
    begin()
    receive()
    receive()
    flow().pause()
    await nextTurn()
    assert.notInclude(told, 'resume')
    flow().resume()
    assert.equal(told.at(-1), 'resume')
  })

  test('ends if the gateway sends interim responses and never its answer', ({ assert }) => {
    const { told, interim } = answered()
    for (let sent = 0; sent < 20; sent++) interim()
    assert.deepEqual(told, [])
    interim()
    assert.deepEqual(told, ['abort'])
  })
})
