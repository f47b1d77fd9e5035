import { test } from '@japa/runner'
import { storedMessage, toMessages as fromStored } from '#openclaw/gateway_messages'

const toMessages = (rows: object[]) => fromStored(rows.map(storedMessage))

/** Rows as OpenClaw 2026.9.6 tells them of a turn with a tool, shortened to what is read. */
const turn = [
  { role: 'user', content: 'List the files', timestamp: 1000, __openclaw: { id: 'u1' } },
  {
    role: 'assistant',
    content: [{ type: 'text', text: 'I will look. ' }],
    timestamp: 2000,
    openclawStreamFallback: { source: 'segment' },
    __openclaw: { id: 'a1' },
  },
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'A shell does that.' },
      { type: 'toolCall', id: 'call_1', name: 'exec', arguments: { command: 'ls -la' } },
    ],
    timestamp: 2000,
    __openclaw: { id: 'a1', recordTimestampMs: 2400 },
  },
  {
    role: 'toolResult',
    toolCallId: 'call_1',
    content: [{ type: 'text', text: 'total 8' }],
    isError: false,
    timestamp: 4000,
  },
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Empty.' },
      { type: 'text', text: 'There is nothing.' },
    ],
    provider: 'mosaic-work',
    model: 'parrot-1',
    stopReason: 'stop',
    timestamp: 5000,
    __openclaw: { id: 'a2' },
  },
]

test.group('Messages of a gateway', () => {
  test('say what their owner stopped, and name no model that the gateway is not', ({ assert }) => {
    const answer = { role: 'assistant', content: 'Half', timestamp: 1000 }
    const injected = {
      ...answer,
      provider: 'openclaw',
      model: 'gateway-injected',
      stopReason: 'stop',
    }
    const [byRun, byGateway, own] = toMessages([
      { ...answer, stopReason: 'aborted', provider: 'mosaic-work', model: 'parrot-1' },
      { ...injected, openclawAbort: { aborted: true, origin: 'rpc' } },
      injected,
    ])
    assert.deepInclude(byRun, { stopped: true, model: 'mosaic-work/parrot-1' })
    assert.deepInclude(byGateway, { stopped: true, text: 'Half' })
    assert.notProperty(byGateway, 'model')
    assert.notProperty(own, 'stopped')
  })

  test('have the tools and thoughts that led to them', ({ assert }) => {
    assert.deepEqual(toMessages(turn), [
      { id: 'u1', role: 'user', text: 'List the files', at: new Date(1000) },
      {
        id: 'a2',
        role: 'assistant',
        text: 'There is nothing.',
        at: new Date(5000),
        reasoning: 'I will look.\n\nA shell does that.\n\nEmpty.',
        tools: [
          {
            id: 'call_1',
            name: 'exec',
            title: 'ls -la',
            failed: false,
            elapsedMs: 1600,
            output: 'total 8',
          },
        ],
        model: 'mosaic-work/parrot-1',
      },
    ])
  })

  test('keep what an agent did before it was stopped', ({ assert }) => {
    const [, stopped] = toMessages(turn.slice(0, 4))
    assert.equal(stopped.text, '')
    assert.equal(stopped.tools?.[0].output, 'total 8')
    const [, , next] = toMessages([...turn.slice(0, 3), { role: 'user', content: 'Again' }])
    assert.equal(next.text, 'Again')
  })

  test('tell a failed run without OpenClaw’s own words', ({ assert }) => {
    const [failed] = toMessages([
      {
        role: 'assistant',
        content: [{ type: 'text', text: '⚠️ LLM request failed (model not found, HTTP 404).' }],
        stopReason: 'error',
      },
    ])
    assert.isTrue(failed.failed)
    assert.equal(failed.text, '')
  })

  test('have the result of the latest call where calls share an id', ({ assert }) => {
    const call = (timestamp: number) => ({
      ...{ role: 'assistant', timestamp },
      content: [{ type: 'toolCall', id: 'call_0', name: 'exec' }],
    })
    const result = (timestamp: number, content: string) => ({
      ...{ role: 'toolResult', toolCallId: 'call_0', timestamp, content },
    })
    const [{ tools }] = toMessages([call(1), result(3, 'one'), call(10), result(15, 'two')])
    assert.deepEqual(
      tools!.map(({ output, elapsedMs }) => [output, elapsedMs]),
      [
        ['one', 2],
        ['two', 5],
      ]
    )
  })

  test('are converted with each result looked at once, and so many steps at most', ({ assert }) => {
    const content = Array.from({ length: 20_000 }, () => ({ type: 'toolCall', id: 'a' }))
    let looks = 0
    const results = Array.from({ length: 100 }, () => ({
      ...storedMessage({ role: 'toolResult' }),
      get toolCallId() {
        looks++
        return 'another'
      },
    }))
    const [{ tools }] = fromStored([storedMessage({ role: 'assistant', content }), ...results])
    assert.isAtMost(looks, 2 * results.length)
    assert.lengthOf(tools!, 10_000)
  })

  test('name the pictures that the gateway keeps of them', ({ assert }) => {
    const [message] = toMessages([
      {
        role: 'user',
        content: [{ type: 'image', mimeType: 'image/png', artifactId: 'artifact_1', bytes: 157 }],
      },
    ])
    assert.deepEqual(message.pictures, [{ id: 'artifact_1', type: 'image/png', size: 157 }])
  })
})
