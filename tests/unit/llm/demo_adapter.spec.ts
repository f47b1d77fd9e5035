import { test } from '@japa/runner'
import { DemoAdapter } from '#llm/adapters/demo'

const ask = (body: unknown, path = '/chat/completions', signal = new AbortController().signal) =>
  new DemoAdapter(0, () => 1_700_000_000_000).respond({ path, body, signal })

const frames = async (response: Response) =>
  (await response.text())
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => frame.replace(/^data: /, ''))

test.group('Demo model', () => {
  const messages = [
    { role: 'system', content: 'You are kind.' },
    { role: 'user', content: 'First' },
    { role: 'assistant', content: 'Yes' },
    { role: 'user', content: [{ type: 'text', text: 'What is the time?' }] },
  ]

  test('says that it is no AI, repeats the last message and counts', async ({ assert }) => {
    const answer: any = await (await ask({ model: 'echo', messages })).json()
    const { content, role } = answer.choices[0].message
    assert.equal(role, 'assistant')
    assert.include(content, 'It is no AI')
    assert.include(content, '> What is the time?')
    assert.notInclude(content, 'First')
    assert.include(content, '4 messages, 2 of them yours, with 38 characters')
    assert.equal(answer.choices[0].finish_reason, 'stop')
    const { prompt_tokens: prompt, completion_tokens: completion, total_tokens } = answer.usage
    assert.equal(total_tokens, prompt + completion)
    assert.isAbove(prompt, 0)
  })

  test('leaves out what OpenClaw puts around the words', async ({ assert }) => {
    const content =
      '[Mon 2026-11-23 19:45 UTC] hello there\n\nRuntime: agent=main | session=x | model=demo/echo'
    const answer: any = await (await ask({ messages: [{ role: 'user', content }] })).json()
    assert.match(answer.choices[0].message.content, /^> hello there$/m)
    assert.notInclude(answer.choices[0].message.content, 'Runtime:')
  })

  test('repeats the beginning of a long message, not all of it', async ({ assert }) => {
    const content = 'word '.repeat(10_000)
    const answer: any = await (await ask({ messages: [{ role: 'user', content }] })).json()
    assert.isBelow(answer.choices[0].message.content.length, 1000)
  })

  test('leaves out the notes that OpenClaw adds, as many as there are', async ({ assert }) => {
    const notes = '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nx\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>'
    const content = `${notes}hello${notes} there\n\n\nRuntime: agent=main`
    const answer: any = await (await ask({ messages: [{ role: 'user', content }] })).json()
    assert.match(answer.choices[0].message.content, /^> hello there$/m)
  })

  for (const [name, unit] of Object.entries({
    'line ends': '\n',
    'white space': ' \t',
    'beginnings of a note without an end': '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>',
    'lines of facts': '\nRuntime: agent=',
    'a time without an end': '[Mon 2026-11-23 19:45 ',
    'words': 'a ',
  })) {
    test(`answers to ${name} without end in time that grows with them`, async ({ assert }) => {
      const spentOn = async (length: number) => {
        const content = `x${unit.repeat(length / unit.length)}x`
        const runs = []
        for (let run = 0; run < 5; run++) {
          const before = performance.now()
          await (await ask({ messages: [{ role: 'user', content }] })).text()
          runs.push(performance.now() - before)
        }
        return Math.min(...runs)
      }
      await spentOn(1000)
      /** Sixteen times the text: linear is at most sixteen times the time, quadratic is 256 times. */
      const ratio = (await spentOn(192_000)) / (await spentOn(12_000))
      assert.isBelow(ratio, 80)
    })
  }

  test('streams the same text in several chunks', async ({ assert }) => {
    const whole: any = await (await ask({ messages })).json()
    const response = await ask({ model: 'echo', messages, stream: true })
    assert.match(response.headers.get('content-type')!, /^text\/event-stream/)

    const sent = await frames(response)
    assert.equal(sent.pop(), '[DONE]')
    const chunks = sent.map((frame) => JSON.parse(frame))
    assert.isAbove(chunks.length, 8)
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' })
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop')
    const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('')
    assert.equal(text, whole.choices[0].message.content)
    for (const chunk of chunks) {
      assert.equal(chunk.object, 'chat.completion.chunk')
      assert.equal(chunk.id, chunks[0].id)
    }
  })

  test('tells the usage at the end of a stream when asked to', async ({ assert }) => {
    const options = { stream: true, stream_options: { include_usage: true } }
    const sent = await frames(await ask({ messages, ...options }))
    const last = JSON.parse(sent.at(-2)!)
    assert.deepEqual(last.choices, [])
    assert.isAbove(last.usage.total_tokens, 0)
  })

  test('stops streaming when the caller is gone', async ({ assert }) => {
    const controller = new AbortController()
    const response = await ask({ messages, stream: true }, '/chat/completions', controller.signal)
    const reader = response.body!.getReader()
    await reader.read()
    controller.abort(new Error('gone'))
    await assert.rejects(async () => {
      while (!(await reader.read()).done) continue
    })
  })

  test('refuses what it does not speak, in the shape of OpenAI', async ({ assert }) => {
    const lost = await ask({}, '/embeddings')
    assert.equal(lost.status, 404)
    const { error: unknown }: any = await lost.json()
    assert.equal(unknown.code, 'model_not_found')

    for (const body of [undefined, null, {}, { messages: 'hello' }, 'text']) {
      assert.equal((await ask(body)).status, 400)
    }
  })

  test('answers odd messages as well', async ({ assert }) => {
    for (const odd of [[], [null], [{ role: 'user' }], [{ role: 'user', content: [null, 1] }]]) {
      assert.equal((await ask({ messages: odd })).status, 200)
    }
  })

  test('lists its one model', async ({ assert }) => {
    const answer: any = await (await ask(undefined, '/models?x=1')).json()
    assert.equal(answer.data[0].id, 'echo')
  })
})
