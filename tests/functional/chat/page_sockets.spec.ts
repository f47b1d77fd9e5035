import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import type { JoinedRun, RunConnection, RunReader } from '#openclaw/run_socket'
import { callAs, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { eventsOf } from '#tests/doubles/page_events'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { TextStream } from '#tests/doubles/text_stream'

/** A gateway's socket that the test moves. */
class ScriptedSocket implements RunConnection {
  reader = Promise.withResolvers<RunReader>()
  asked: string[] = []
  stopped = 0
  closed = 0
  underWay: JoinedRun | null = null
  refuse: Error | null = null

  async start(message: string) {
    if (this.refuse) throw this.refuse
    this.asked.push(message)
  }
  async join() {
    return this.underWay
  }
  read(reader: RunReader) {
    this.reader.resolve(reader)
  }
  async stop() {
    this.stopped++
  }
  close() {
    this.closed++
  }
}

test.group("Runs of the page's chat by a gateway's socket", (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let owner: Awaited<ReturnType<typeof userWithToken>>
  let socket: ScriptedSocket
  let opened: string[]
  let isThere: boolean

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    socket = new ScriptedSocket()
    opened = []
    isThere = true
    surface = scriptedSurface({
      openRuns: async (_access, key) => {
        if (!isThere) throw new Error('refused')
        opened.push(key)
        return socket
      },
    })
    surface.waker.remembered = gateway.access
    owner = await userWithToken()
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  const call = (method: string, path: string, body?: unknown, signal?: AbortSignal) =>
    callAs(owner, method, path, body, signal)
  const QUESTION = { message: 'Count', conversationId: 'c1', background: true }

  test('tell the answer as over HTTP, with the tokens of all its model calls', async ({
    assert,
  }) => {
    const response = await call('POST', '/chat', QUESTION)
    const { onAnswer, onRun } = await socket.reader.promise
    onRun({ kind: 'model', model: 'mosaic-work/parrot-1' })
    onRun({ kind: 'reasoning', text: 'Hm.' })
    onAnswer({ kind: 'usage', inputTokens: 10, outputTokens: 2 })
    onAnswer({ kind: 'text', text: 'one ' })
    onAnswer({ kind: 'text', text: 'two' })
    onAnswer({ kind: 'usage', inputTokens: 20, outputTokens: 3 })
    onAnswer({ kind: 'end', outcome: 'done' })
    const events = eventsOf(await response.text())
    assert.deepEqual(
      events.map(({ name }) => name),
      ['reasoning', 'delta', 'delta', 'done']
    )
    assert.deepEqual(events.at(-1)!.data, {
      conversationId: 'c1',
      usage: { inputTokens: 30, outputTokens: 5, totalTokens: 35 },
      model: 'work/parrot-1',
    })
    assert.deepEqual(socket.asked, ['Count'])
    assert.lengthOf(gateway.requests, 0)
    assert.equal(socket.closed, 1)
    assert.equal(socket.stopped, 0)
  })

  test('go by HTTP if the gateway has no socket or refuses the run there', async ({ assert }) => {
    gateway.script = (reply) => void reply.begin().say('By HTTP.').finish()
    socket.refuse = Object.assign(new Error('draining'), { gatewayCode: 'UNAVAILABLE' })
    const events = eventsOf(await (await call('POST', '/chat', QUESTION)).text())
    assert.equal(events[0].data.text, 'By HTTP.')
    assert.lengthOf(gateway.requests, 1)
  })

  test('are never sent twice: a gateway that dies after the question is an error', async ({
    assert,
  }) => {
    const response = await call('POST', '/chat', QUESTION)
    const { onClose } = await socket.reader.promise
    isThere = false
    onClose()
    const events = eventsOf(await response.text())
    assert.equal(events.at(-1)!.data.code, 'E_AGENT_GONE')
    assert.lengthOf(gateway.requests, 0)
  })

  test('are left to their page to find again if only the socket broke', async ({ assert }) => {
    const response = await call('POST', '/chat', QUESTION)
    const { onAnswer, onClose } = await socket.reader.promise
    onAnswer({ kind: 'text', text: 'one ' })
    onClose()
    const events = eventsOf(await response.text())
    assert.deepEqual(
      events.map(({ name }) => name),
      ['delta']
    )
    assert.lengthOf(gateway.requests, 0)
    assert.equal(socket.stopped, 0)
  })

  test('continue at the gateway when Mosaic stops, without a false end', async ({ assert }) => {
    const response = await call('POST', '/chat', QUESTION)
    const { onAnswer } = await socket.reader.promise
    onAnswer({ kind: 'text', text: 'one ' })
    await surface.relay.drain(0)
    const events = eventsOf(await response.text())
    assert.deepEqual(
      events.map(({ name }) => name),
      ['delta']
    )
    assert.equal(socket.stopped, 0)
    assert.equal(socket.closed, 1)
  })

  test('are ended at the gateway by their owner', async ({ assert }) => {
    const response = await call('POST', '/chat', QUESTION)
    await socket.reader.promise
    assert.equal((await call('DELETE', '/conversations/c1/run')).status, 204)
    await response.text()
    assert.equal(socket.stopped, 1)
  })

  for (const isHere of [true, false]) {
    const where = isHere ? 'here' : 'in another process'
    test(`wait until the one before them has been ended, begun ${where}`, async ({ assert }) => {
      const steps: string[] = []
      const held = Promise.withResolvers<void>()
      const stopping = Promise.withResolvers<void>()
      socket.start = async (message) => void steps.push(message)
      socket.stop = async () => {
        stopping.resolve()
        await held.promise
        steps.push('stopped')
      }
      const first = isHere ? await call('POST', '/chat', { ...QUESTION, message: 'First' }) : null
      if (isHere) await socket.reader.promise
      socket.reader = Promise.withResolvers()
      const stopped = call('DELETE', '/conversations/c1/run')
      await stopping.promise
      const second = await call('POST', '/chat', { ...QUESTION, message: 'Second' })
      held.resolve()
      assert.equal((await stopped).status, 204)
      const { onAnswer } = await socket.reader.promise
      onAnswer({ kind: 'end', outcome: 'done' })
      await Promise.all([first?.text(), second.text()])
      assert.deepEqual(steps, [...(isHere ? ['First'] : []), 'stopped', 'Second'])
    })
  }

  test('of another process are found, told from their beginning, and shared', async ({
    assert,
  }) => {
    socket.underWay = {
      question: 'Count\n\n<attachment name="a.md" type="text/markdown">\n# Hi\n</attachment>',
      startedAt: new Date('2026-01-02T03:04:05Z'),
      work: {
        reasoning: 'Let me count.',
        tools: [{ id: 't1', name: 'exec', title: 'seq', failed: false, elapsedMs: 9, output: '1' }],
      },
      text: 'one ',
    }
    const first = await call('GET', '/conversations/c1/run')
    assert.equal(first.status, 200)
    const { onAnswer } = await socket.reader.promise
    const second = new TextStream(await call('GET', '/conversations/c1/run'))
    await second.until('one ')
    onAnswer({ kind: 'text', text: 'two' })
    onAnswer({ kind: 'end', outcome: 'done' })
    const events = eventsOf(await first.text())
    assert.deepEqual(
      events.map(({ name }) => name),
      ['question', 'reasoning', 'tool', 'delta', 'delta', 'done']
    )
    assert.deepEqual(events[0].data, { text: 'Count', startedAt: '2026-01-02T03:04:05.000Z' })
    assert.equal(events[2].data.phase, 'end')
    await second.until('event: done')
    assert.deepEqual(opened, ['web:c1'])
  })

  test('that nobody has are 404, also of an agent that is asleep', async ({ assert }) => {
    const idle = await call('GET', '/conversations/c1/run')
    assert.equal(idle.status, 404)
    assert.equal(((await idle.json()) as any).errors[0].code, 'E_CHAT_NOT_RUNNING')
    surface.waker.remembered = null
    assert.equal((await call('GET', '/conversations/c1/run')).status, 404)
    assert.deepEqual(surface.waker.woken, [])
    assert.lengthOf(opened, 1)
    assert.equal(socket.closed, 1)
  })

  test('may be under way at an agent that cannot be asked right now', async ({ assert }) => {
    isThere = false
    for (const method of ['GET', 'DELETE']) {
      const response = await call(method, '/conversations/c1/run')
      assert.equal(response.status, 502, method)
      assert.equal(((await response.json()) as any).errors[0].code, 'E_GATEWAY_FAILED')
    }
    isThere = true
    socket.join = async () => Promise.reject(new Error('no answer'))
    assert.equal((await call('GET', '/conversations/c1/run')).status, 502)
    assert.equal(socket.closed, 1)
    const draining = Object.assign(new Error(), { gatewayCode: 'UNAVAILABLE' })
    socket.join = async () => Promise.reject(draining)
    assert.equal((await call('GET', '/conversations/c1/run')).status, 502)
    socket.join = async () => Promise.reject(Object.assign(new Error(), { gatewayCode: 'INVALID' }))
    assert.equal((await call('GET', '/conversations/c1/run')).status, 404)
  })

  test('tell their page that they were stopped, also by another process', async ({ assert }) => {
    const response = await call('POST', '/chat', QUESTION)
    const { onAnswer } = await socket.reader.promise
    onAnswer({ kind: 'text', text: 'one ' })
    onAnswer({ kind: 'end', outcome: 'stopped' })
    const events = eventsOf(await response.text())
    assert.deepEqual(
      events.map(({ name, data }) => [name, data]),
      [
        ['delta', { text: 'one ' }],
        ['stopped', { conversationId: 'c1' }],
      ]
    )
    assert.equal(socket.stopped, 0)
  })

  test('are not told as stopped while they go on', async ({ assert }) => {
    const response = await call('POST', '/chat', QUESTION)
    await socket.reader.promise
    const draining = Object.assign(new Error('draining'), { gatewayCode: 'UNAVAILABLE' })
    socket.stop = () => Promise.reject(draining)
    const stopped = await call('DELETE', '/conversations/c1/run')
    assert.equal(stopped.status, 502)
    assert.equal(((await stopped.json()) as any).errors[0].code, 'E_GATEWAY_FAILED')
    const events = eventsOf(await response.text())
    assert.deepEqual(
      events.map(({ name, data }) => [name, data.code]),
      [['error', 'E_GATEWAY_FAILED']]
    )
  })

  test('of another process are ended by their owner', async ({ assert }) => {
    assert.equal((await call('DELETE', '/conversations/c1/run')).status, 204)
    assert.equal(socket.stopped, 1)
    assert.equal(socket.closed, 1)
  })
})
