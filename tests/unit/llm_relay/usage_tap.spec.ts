import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from '@japa/runner'
import type { TokenUsage } from '#llm/token_usage'
import { tapUsage } from '#llm_relay/usage_tap'

const EVENTS = 'text/event-stream; charset=utf-8'
const JSON_TYPE = 'application/json'

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`

/** What each API family says of tokens, in the shape of its own documentation. */
const FAMILIES: { name: string; type: string; answer: string; usage: TokenUsage }[] = [
  {
    name: 'chat completions, streamed',
    type: EVENTS,
    answer:
      event({ choices: [{ delta: { content: 'Hi' } }], usage: null }) +
      event({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } }) +
      'data: [DONE]\n\n',
    usage: { in: 12, out: 3 },
  },
  {
    name: 'chat completions, whole',
    type: JSON_TYPE,
    answer: JSON.stringify(
      { choices: [], usage: { prompt_tokens: 12, completion_tokens: 3 } },
      null,
      2
    ),
    usage: { in: 12, out: 3 },
  },
  {
    name: 'responses, streamed',
    type: EVENTS,
    answer:
      `event: response.created\n${event({ type: 'response.created', response: { usage: null } })}` +
      `event: response.completed\n${event({
        type: 'response.completed',
        response: { usage: { input_tokens: 40, output_tokens: 7, total_tokens: 47 } },
      })}`,
    usage: { in: 40, out: 7 },
  },
  {
    name: 'messages, streamed, with a cache',
    type: EVENTS,
    answer:
      `event: message_start\n${event({
        type: 'message_start',
        message: {
          usage: {
            input_tokens: 5,
            cache_read_input_tokens: 100,
            cache_creation_input_tokens: 20,
            output_tokens: 1,
          },
        },
      })}` +
      `event: message_delta\n${event({ type: 'message_delta', usage: { output_tokens: 9 } })}`,
    usage: { in: 125, out: 9 },
  },
  {
    name: 'ollama, line by line',
    type: 'application/x-ndjson',
    answer:
      `${JSON.stringify({ message: { content: 'Hi' }, done: false })}\n` +
      `${JSON.stringify({ done: true, prompt_eval_count: 26, eval_count: 298 })}\n`,
    usage: { in: 26, out: 298 },
  },
  {
    name: 'ollama, whole and pretty-printed',
    type: JSON_TYPE,
    answer: JSON.stringify({ done: true, prompt_eval_count: 26, eval_count: 298 }, null, 2),
    usage: { in: 26, out: 298 },
  },
  {
    name: 'Moonshot, in the last choice',
    type: EVENTS,
    answer: event({
      choices: [
        { delta: {}, finish_reason: 'stop', usage: { prompt_tokens: 19, completion_tokens: 13 } },
      ],
    }),
    usage: { in: 19, out: 13 },
  },
  {
    name: 'Groq, in a field of its own',
    type: EVENTS,
    answer: event({
      choices: [{ delta: {}, finish_reason: 'stop' }],
      x_groq: {
        id: 'req_1',
        usage: { prompt_tokens: 18, completion_tokens: 556, queue_time: 0.03 },
      },
    }),
    usage: { in: 18, out: 556 },
  },
  {
    name: 'Bedrock, beside the last event of a model',
    type: EVENTS,
    answer: event({
      'type': 'message_stop',
      'amazon-bedrock-invocationMetrics': { inputTokenCount: 14, outputTokenCount: 6 },
    }),
    usage: { in: 14, out: 6 },
  },
  {
    name: 'a proxy that wraps the answer',
    type: JSON_TYPE,
    answer: '{"code":0,"data":{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}}}',
    usage: { in: 12, out: 3 },
  },
  {
    name: 'a proxy that counts within the message',
    type: JSON_TYPE,
    answer: JSON.stringify({
      choices: [{ message: { content: 'Hi', usage: { prompt_tokens: 12, completion_tokens: 3 } } }],
    }),
    usage: { in: 12, out: 3 },
  },
  {
    name: 'a proxy that writes the names as its language does',
    type: JSON_TYPE,
    answer: '{"usage":{"promptTokens":12,"completionTokens":3,"totalTokens":15}}',
    usage: { in: 12, out: 3 },
  },
  {
    name: 'a proxy that writes numbers as text',
    type: JSON_TYPE,
    answer: '{"choices":[],"usage":{"prompt_tokens":"12","completion_tokens":"3"}}',
    usage: { in: 12, out: 3 },
  },
  {
    name: 'a proxy that writes all of it as text',
    type: JSON_TYPE,
    answer: JSON.stringify({ usage: '{"prompt_tokens":12,"completion_tokens":3}' }),
    usage: { in: 12, out: 3 },
  },
  {
    name: 'Gemini, with its thoughts',
    type: EVENTS,
    answer: event({
      candidates: [],
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 5, thoughtsTokenCount: 40 },
    }),
    usage: { in: 8, out: 45 },
  },
  {
    name: 'xAI, with its reasoning beside the answer',
    type: JSON_TYPE,
    answer: JSON.stringify({
      choices: [],
      usage: {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
    }),
    usage: { in: 32, out: 103 },
  },
  {
    name: 'a proxy for Gemini, with reasoning alone',
    type: JSON_TYPE,
    answer: JSON.stringify({
      choices: [],
      usage: { prompt_tokens: 21, completion_tokens: 0, total_tokens: 81, reasoning_tokens: 60 },
    }),
    usage: { in: 21, out: 60 },
  },
  {
    name: 'OpenAI, with its reasoning within the answer',
    type: JSON_TYPE,
    answer: JSON.stringify({
      choices: [],
      usage: {
        prompt_tokens: 32,
        completion_tokens: 103,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
    }),
    usage: { in: 32, out: 103 },
  },
  {
    name: 'Gemini, whose thoughts left no room for an answer',
    type: JSON_TYPE,
    answer: JSON.stringify({ usageMetadata: { promptTokenCount: 8, thoughtsTokenCount: 40 } }),
    usage: { in: 8, out: 40 },
  },
  {
    name: 'Gemini, as a list that grows',
    type: JSON_TYPE,
    answer: `[${JSON.stringify({ usageMetadata: { promptTokenCount: 8 } })}\n,\r\n${JSON.stringify({
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 5 },
    })}\n]\n`,
    usage: { in: 8, out: 5 },
  },
  {
    name: 'Cohere',
    type: EVENTS,
    answer: `event: message-end\n${event({
      type: 'message-end',
      delta: {
        usage: {
          billed_units: { input_tokens: 9, output_tokens: 4 },
          tokens: { input_tokens: 215, output_tokens: 4 },
        },
      },
    })}`,
    usage: { in: 215, out: 4 },
  },
  {
    name: 'Bedrock',
    type: JSON_TYPE,
    answer: JSON.stringify({ output: {}, usage: { inputTokens: 30, outputTokens: 628 } }),
    usage: { in: 30, out: 628 },
  },
  {
    name: 'Mistral, with carriage returns',
    type: EVENTS,
    answer: 'data: {"usage":{"prompt_tokens":7,\r\ndata: "completion_tokens":2}}\r\n\r\n',
    usage: { in: 7, out: 2 },
  },
]

/** The text in pieces of `size` bytes, as a network may cut it. */
function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size)
  )
}

async function passed(answer: string, headers: Record<string, string>, size = 7) {
  const told: TokenUsage[] = []
  const tap = tapUsage(Readable.from(pieces(answer, size)), headers, (usage) => told.push(usage))
  const body = await buffer(tap)
  return { body: body.toString(), told }
}

test.group('The usage of an answer', () => {
  for (const { name, type, answer, usage } of FAMILIES) {
    test(`is read from ${name}, and no byte of it changes`, async ({ assert }) => {
      for (const size of [1, 7, 100_000]) {
        const { body, told } = await passed(answer, { 'content-type': type }, size)
        assert.equal(body, answer)
        assert.deepEqual(told, [usage])
      }
    })
  }

  test('is nothing where the model only talks of it', async ({ assert }) => {
    const answer =
      event({ choices: [{ delta: { content: '{"usage":{"prompt_tokens":9}}' } }] }) +
      event({ choices: [{ delta: { content: '"eval_count": 12' } }] }) +
      event({ type: 'response.output_text.delta', delta: '{"usage":{"input_tokens":9}}' }) +
      'data: {"usage":{"prompt_tokens":"many"}}\n\ndata: {"usage": broken_tokens"\n\n'
    assert.deepEqual((await passed(answer, { 'content-type': EVENTS })).told, [])
  })

  test('is nothing where it is no number of tokens that a call can take', async ({ assert }) => {
    for (const made of [Number.MAX_SAFE_INTEGER, '999999999999999', 1e308, -1, 1.5]) {
      const answer = event({ usage: { prompt_tokens: made, completion_tokens: made } })
      assert.deepEqual((await passed(answer, { 'content-type': EVENTS })).told, [])
    }
  })

  test('is read where nothing says the type, or another than it is', async ({ assert }) => {
    for (const { answer, usage } of FAMILIES) {
      for (const headers of [{}, { 'content-type': 'text/plain' }, { 'content-type': 'TEXT/X' }]) {
        assert.deepEqual((await passed(answer, headers as Record<string, string>)).told, [usage])
      }
    }
  })

  test('is left alone in a body in an unknown encoding, or no text', async ({ assert }) => {
    const { type, answer } = FAMILIES[0]
    for (const headers of [
      { 'content-type': type, 'content-encoding': 'secret' },
      { 'content-type': 'audio/mpeg' },
    ]) {
      const { body, told } = await passed(answer, headers as Record<string, string>)
      assert.equal(body, answer)
      assert.deepEqual(told, [])
    }
  })

  test('is read past an event that is too long to keep', async ({ assert }) => {
    const long = event({ delta: 'x'.repeat(5 * 1024 * 1024) })
    const { told } = await passed(long + FAMILIES[0].answer, { 'content-type': EVENTS }, 64 * 1024)
    assert.deepEqual(told, [FAMILIES[0].usage])
  })

  test('is read at the end of an answer that is too long to keep', async ({ assert }) => {
    const vectors = `"data":[${'{"embedding":[0.1,0.2]},'.repeat(200_000)}{}]`
    const spoken = JSON.stringify({ content: '"usage":{"prompt_tokens":1}' })
    for (const [answer, usage] of [
      [`{${vectors},"usage":{"prompt_tokens":7,"total_tokens":7}}`, { in: 7, out: 0 }],
      [`{${vectors},"prompt_eval_count":9}`, { in: 9, out: 0 }],
      [`{${vectors},"usage":{"prompt_tokens":3},"message":${spoken}}`, { in: 3, out: 0 }],
      [
        `data: {"response":{${vectors},"usage":{"input_tokens":5,"output_tokens":2},"user":null}}\n\n`,
        { in: 5, out: 2 },
      ],
      [`{${vectors}}`, null],
    ] as const) {
      for (const size of [1000, 64 * 1024, 10_000_000]) {
        const { told } = await passed(answer, { 'content-type': JSON_TYPE }, size)
        assert.deepEqual(told, usage ? [usage] : [])
      }
    }
  })

  test('counts what was said until an agent leaves, and ends the call', async ({ assert }) => {
    const [start] = FAMILIES[3].answer.split('event: message_delta')
    const body = new Readable({ read() {} })
    body.push(start)
    const told = Promise.withResolvers<TokenUsage>()
    const tap = tapUsage(body, { 'content-type': EVENTS }, told.resolve)
    tap.once('data', () => tap.destroy())
    assert.deepEqual(await told.promise, { in: 125, out: 1 })
    assert.isTrue(body.destroyed)
  })

  test('has one error, however many a provider sends', async ({ assert }) => {
    const failures: string[] = []
    const body = Readable.from([event({ error: 'The first.' }), event({ error: 'x' }).repeat(5000)])
    const told = ({ message }: { message: string }) => void failures.push(message)
    await buffer(tapUsage(body, { 'content-type': EVENTS }, () => {}, told))
    assert.deepEqual(failures, ['The first.'])
  })
})
