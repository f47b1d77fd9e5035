import OpenAI from 'openai'
import app from '@adonisjs/core/services/app'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import UserContainer from '#models/user_container'
import { PRIMER } from '#openclaw/primer_model'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { baseUrl, userWithToken } from '#tests/doubles/chat_surface'
import { until } from '#tests/doubles/test_clock'

const CALLERS = 1000

test.group('Chats that wake an agent', (group) => {
  let driver: MemoryDriver
  let owner: Awaited<ReturnType<typeof userWithToken>>

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    const settings = await app.container.make('settings')
    const runtimes = await app.container.make('runtime.manager')
    await settings.set('runtime.driver', 'memory')
    driver = (await runtimes.use('memory')) as MemoryDriver
    owner = await userWithToken()
    await LlmProviderFactory.merge({ userId: owner.user.id }).create()
    return async () => {
      const lifecycle = await app.container.make('agents.lifecycle')
      await lifecycle.stop(`user/${owner.user.id}`)
      await driver.reset()
    }
  })

  const container = () => UserContainer.ownedBy(owner.user.id).firstOrFail()

  function ask(path: string, body: unknown): Promise<Response> {
    return fetch(baseUrl() + path, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${owner.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  test('tell the page how the wake goes, then answer', async ({ assert }) => {
    const text = await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.match(text, /^event: progress\n[\s\S]+event: delta\n[\s\S]+event: done\n/)
    const again = await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.notInclude(again, 'event: progress')
  })

  test('that come right after new settings are answered by these', async ({ assert }) => {
    await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    const { documentHash: former, startedAt } = await container()
    for (const personality of ['Be brief.', 'Be kind.', 'Be both.']) {
      const saved = await fetch(`${baseUrl()}/api/v1/agent-config`, {
        method: 'PUT',
        headers: { 'authorization': `Bearer ${owner.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ personality }),
      })
      assert.equal(saved.status, 200)
      const text = await (await ask('/api/v1/chat', { message: 'Hello' })).text()
      assert.include(text, 'event: done')
      const documents = await app.container.make('openclaw.documents')
      const { hash } = await documents.forAgent(`user/${owner.user.id}`)
      const row = await container()
      assert.equal(row.documentHash, hash)
      assert.notEqual(row.documentHash, former)
      assert.isAtLeast(row.startedAt!.toMillis(), startedAt!.toMillis())
    }
  })

  test('prewarm nothing: the page that was opened before does, and nobody sees it', async ({
    assert,
  }) => {
    const agent = `user/${owner.user.id}` as const
    const sessions = async () => {
      const ref = { name: (await container()).containerName, state: null }
      const lines = await Array.fromAsync(driver.logs(ref, { tail: 100 }))
      return lines.flatMap((line) => /^chat agent:main:(\w+):/.exec(line)?.[1] ?? [])
    }
    await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.deepEqual(await sessions(), ['web'])

    const lifecycle = await app.container.make('agents.lifecycle')
    await lifecycle.stop(agent)
    await ask('/api/v1/agent/start', {})
    const primer = await app.container.make('agents.prewarmer')
    /** The page's own prewarm may have finished already. */
    assert.oneOf(await primer.prewarm(agent), ['prewarmed', 'warm'])
    await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.deepEqual(await sessions(), ['web', 'primer', 'web'])

    const client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: owner.token, maxRetries: 0 })
    const { data } = await client.models.list()
    assert.lengthOf(data, 2)
    assert.notInclude(JSON.stringify(data), 'primer')
    const named = await ask('/v1/chat/completions', {
      model: PRIMER.model,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    assert.equal(named.status, 404)
  })

  test('are not begun to tell that an agent that never ran has no conversations', async ({
    assert,
    client,
  }) => {
    const path = '/api/v1/conversations'
    const list = await client.get(path).bearerToken(owner.token)
    list.assertStatus(200)
    assert.containsSubset(list.body(), { data: [], meta: { total: 0 } })
    for (const request of [
      client.get(`${path}/mine`),
      client.get(`${path}/mine?format=markdown`),
      client.get(`${path}/mine/picture?path=a.png`),
      client.patch(`${path}/mine`).json({ pinned: true }),
      client.delete(`${path}/mine`),
    ]) {
      ;(await request.bearerToken(owner.token)).assertStatus(404)
    }
    assert.isNull((await UserContainer.ownedBy(owner.user.id).first())?.runtime ?? null)

    driver.behave('*', { startMs: 300 })
    const answer = ask('/api/v1/chat', { conversationId: 'mine', message: 'Hello' })
    const lifecycle = await app.container.make('agents.lifecycle')
    await until(async () => !(await lifecycle.isNew(`user/${owner.user.id}`)))
    await (await answer).text()
    const read = await client.get(`${path}/mine`).bearerToken(owner.token)
    read.assertStatus(200)
  })

  test(`start it once for ${CALLERS} callers, and each is answered`, async ({ assert }) => {
    driver.behave('*', { startMs: 300 })
    const body = { model: 'openclaw', messages: [{ role: 'user', content: 'Hello' }] }
    const answers = await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        const answer = await ask('/v1/chat/completions', body)
        await answer.text()
        return answer.status
      })
    )
    assert.isTrue(answers.every((status) => status === 200))
    const { containerName } = await container()
    assert.equal(driver.counts(containerName).starts, 1)
  }).timeout(60_000)

  test('go on after the agent was stopped, with what it remembers', async ({ assert }) => {
    const client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: owner.token, maxRetries: 0 })
    const say = async (content: string) => {
      const answer = await client.chat.completions.create({
        model: 'openclaw',
        user: 'notes',
        messages: [{ role: 'user', content }],
      })
      return answer.choices[0].message.content
    }
    assert.equal(await say('One'), 'Turn 1: One')
    const lifecycle = await app.container.make('agents.lifecycle')
    await lifecycle.stop(`user/${owner.user.id}`)
    assert.equal(await say('Two'), 'Turn 2: Two')
  })

  test('wake it again after a crash that nobody noticed', async ({ assert }) => {
    const body = { model: 'openclaw', messages: [{ role: 'user', content: 'Hello' }] }
    await (await ask('/v1/chat/completions', body)).text()
    await driver.crash((await container()).containerName)
    const answer = await ask('/v1/chat/completions', body)
    await answer.text()
    assert.equal(answer.status, 200)
  })

  test('tell that it was killed in the middle of its answer', async ({ assert }) => {
    driver.behave('*', { crashMidStream: true })
    const text = await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.match(text, /event: error\ndata: \{"code":"E_AGENT_GONE"/)
  })

  test('tell that there is no provider', async ({ assert }) => {
    await owner.user.related('providers').query().delete()
    const text = await (await ask('/api/v1/chat', { message: 'Hello' })).text()
    assert.match(text, /event: error\ndata: \{"code":"E_AGENT_NO_PROVIDER"/)
  })
})
