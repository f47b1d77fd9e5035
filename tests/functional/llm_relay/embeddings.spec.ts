import type { ServerResponse } from 'node:http'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { answers } from '#llm/held_answers'
import UsageDay from '#models/usage_day'
import { allowLoopback } from '#tests/allow_loopback'
import { LoopbackService, type Reply } from '#tests/contracts/loopback_service'
import { until } from '#tests/doubles/test_clock'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'

const KEY = 'sk-canary-embed-1'

test.group('An agent asks for vectors', (group) => {
  group.setup(allowLoopback)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  /** An agent whose owner's provider answers so, and its call by OpenAI's API. */
  async function scene(type: string, reply: Reply, path = '') {
    const service = await LoopbackService.start(() => reply)
    const { user, token } = await agentOfSomeone()
    const apiType = type === 'ollama' ? 'ollama' : 'openai-completions'
    const baseUrl = `${service.url}${path}`
    const provider = await providerOf(user.id, { name: 'work', type, apiType, baseUrl }, KEY)
    const call = (body: object | string) =>
      fetch(`${internalUrl()}/api/internal/llm/${provider.id}/embeddings`, {
        method: 'POST',
        headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    return { service, user, call }
  }

  const json = (status: number, value: unknown): Reply => ({ status, json: value })

  test('of a service with another API: its adapter asks, and the answer is OpenAI’s', async ({
    assert,
    cleanup,
  }) => {
    const vectors = [
      [1, 0],
      [0, 1],
    ]
    const answer = json(200, { embeddings: vectors, prompt_eval_count: 9 })
    const { service, user, call } = await scene('ollama', answer)
    cleanup(() => service.close())
    const given = await call({ model: 'nomic', input: ['one', 'two'] })
    assert.equal(given.status, 200)
    const body: any = await given.json()
    assert.deepEqual(
      body.data.map(({ embedding }: any) => embedding),
      vectors
    )
    assert.deepEqual(body.usage, { prompt_tokens: 9, total_tokens: 9 })
    const [{ url, headers, body: sent }] = service.received
    assert.equal(url, '/api/embed')
    assert.equal(headers.authorization, `Bearer ${KEY}`)
    assert.deepEqual(sent, { model: 'nomic', input: ['one', 'two'] })

    await (await app.container.make('usage.meter')).flush()
    assert.equal((await UsageDay.query().where('user_id', user.id).firstOrFail()).tokensIn, 9)
  })

  test('is refused for what is no JSON, and no defect of Mosaic’s', async ({ assert, cleanup }) => {
    const { service, call } = await scene('ollama', json(200, {}))
    cleanup(() => service.close())
    const { status } = await call('{')
    assert.isBelow(status, 500)
    assert.isEmpty(service.received)
  })

  test('as base64 where it asks for that', async ({ assert, cleanup }) => {
    const { service, call } = await scene('ollama', json(200, { embeddings: [[0.5, -2]] }))
    cleanup(() => service.close())
    const given = await call({ model: 'nomic', input: 'one', encoding_format: 'base64' })
    const body: any = await given.json()
    const bytes = Buffer.from(body.data[0].embedding, 'base64')
    assert.deepEqual([bytes.readFloatLE(0), bytes.readFloatLE(4)], [0.5, -2])
  })

  test('of a service with OpenAI’s API: the call passes as it is', async ({ assert, cleanup }) => {
    const answer = { data: [{ index: 0, embedding: 'AAAA' }], usage: { prompt_tokens: 3 } }
    const { service, user, call } = await scene('custom', json(200, answer), '/v1')
    cleanup(() => service.close())
    const asked = { model: 'ada', input: 'one', encoding_format: 'base64' }
    assert.deepEqual(await (await call(asked)).json(), answer)
    assert.deepEqual(service.received[0].body, asked)
    await (await app.container.make('usage.meter')).flush()
    assert.equal((await UsageDay.query().where('user_id', user.id).firstOrFail()).tokensIn, 3)
  })

  test('learns of a failure what lets it go on, and never the key', async ({ assert, cleanup }) => {
    const { service, call } = await scene('ollama', json(401, { error: KEY }))
    cleanup(() => service.close())
    for (const body of [
      { model: 'nomic', input: 'one' },
      { model: 'nomic', input: [1] },
    ]) {
      const given = await call(body)
      assert.equal(given.status, 404)
      const told = await given.text()
      assert.include(told, 'model_not_found')
      assert.notInclude(told, KEY)
    }
    assert.lengthOf(service.received, 1)
  })

  test('of a service whose answers never end: they count as held, and more are refused at once', async ({
    assert,
    cleanup,
  }) => {
    const open = new Set<ServerResponse>()
    const { service, call } = await scene('ollama', (response) => {
      open.add(response)
      response.once('close', () => open.delete(response))
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(' '.repeat(7_900_000))
    })
    cleanup(() => service.close())
    let refused = 0
    const calls = Array.from({ length: 20 }, async () => {
      const given = await call({ model: 'nomic', input: 'one' })
      if (given.status === 503) refused++
      return [given.status, (await given.text()).includes('E_LLM_ANSWERS_FULL')]
    })
    await until(() => refused >= 16)
    assert.isAtMost(answers.bytes, 32 * 1024 * 1024)
    for (const response of open) response.end('{"embeddings":[[1]]}')
    for (const outcome of await Promise.all(calls)) {
      assert.deepInclude(
        [
          [200, false],
          [503, true],
        ],
        outcome
      )
    }
    await until(() => answers.bytes === 0)
  }).timeout(60_000)

  test('and its own answer counts as held until it has read it', async ({ assert, cleanup }) => {
    const vectors = [Array.from({ length: 10_000 }, (_, at) => at)]
    const { service, call } = await scene('ollama', json(200, { embeddings: vectors }))
    cleanup(() => service.close())
    const given = await call({ model: 'nomic', input: 'one' })
    const text = await given.text()
    assert.equal(given.headers.get('content-length'), String(text.length))
    assert.deepEqual(JSON.parse(text).data[0].embedding, vectors[0])
    await until(() => answers.bytes === 0)
  })

  test('of a service without embeddings, in vain', async ({ assert, cleanup }) => {
    const service = await LoopbackService.start(() => json(200, {}))
    cleanup(() => service.close())
    const { user, token } = await agentOfSomeone()
    const values = { name: 'work', type: 'anthropic', apiType: 'anthropic-messages' }
    const provider = await providerOf(user.id, { ...values, baseUrl: service.url }, KEY)
    const given = await fetch(`${internalUrl()}/api/internal/llm/${provider.id}/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '{}',
    })
    assert.equal(given.status, 404)
    assert.lengthOf(service.received, 0)
  })
})
