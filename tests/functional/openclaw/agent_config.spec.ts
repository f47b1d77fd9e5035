import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { createId } from '#models/row_id'
import SystemContainer from '#models/system_container'
import { keptTimersModule } from '#openclaw/kept_timers'
import UserAgentConfig from '#models/user_agent_config'
import { PRIMER } from '#openclaw/primer_model'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'

const CANARY = 'sk-canary-5f1d0c7e'

function ask(path: string, token?: string, headers: Record<string, string> = {}) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return fetch(`${internalUrl()}/api/internal/agent-config/${path}`, {
    headers: { ...authorization, ...headers },
  })
}

async function systemAgent(providerId: string | null, primaryModel: string | null) {
  const row = new SystemContainer()
  row.merge({ id: createId(), name: `mosaic-system-${createId()}`, role: 'operations' })
  row.merge({ providerId, primaryModel, isActive: true })
  await row.renewGatewayToken()
  await row.save()
  return { row, token: (await row.open('gatewayToken'))! }
}

test.group('The config endpoint', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('gives an agent its document', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    const provider = await providerOf(user.id)

    const response = await ask(`user/${user.id}`, token)
    assert.equal(response.status, 200)
    const document = (await response.json()) as any
    const [entry] = Object.values<any>(document.models.providers)
    assert.equal(entry.baseUrl, `\${MOSAIC_API_URL}/api/internal/llm/${provider.id}`)
    assert.match(response.headers.get('etag')!, /^"[0-9a-f]{64}"$/)
  })

  test('knows a user by the id of its container row too', async ({ assert }) => {
    const { user, container, token } = await agentOfSomeone()
    await providerOf(user.id)
    assert.equal((await ask(`user/${container.id}`, token)).status, 200)
  })

  test('gives a system agent the one provider it was given', async ({ assert }) => {
    const { user } = await agentOfSomeone()
    const mine = await providerOf(user.id, { name: 'shared' })
    await providerOf(user.id, { name: 'private' })
    const { row, token } = await systemAgent(mine.id, 'shared/test-model')

    const response = await ask(`system/${row.id}`, token)
    assert.equal(response.status, 200)
    const document = (await response.json()) as any
    assert.sameMembers(Object.keys(document.models.providers), ['mosaic-shared', PRIMER.entryId])
  })

  test('gives the files beside the document', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    await providerOf(user.id)
    await UserAgentConfig.create({
      userId: user.id,
      personality: 'You are a pirate.',
      fallbackModels: [],
      profile: 'minimal',
    })
    const response = await ask(`user/${user.id}/files`, token)
    assert.deepEqual(await response.json(), {
      files: [
        { content: 'You are a pirate.\n', path: 'workspace/SOUL.md' },
        {
          content: '{"retry":{"provider":{"maxRetries":0}}}\n',
          path: 'agents/main/agent/settings.json',
        },
        { content: keptTimersModule, path: 'mosaic/preload.mjs' },
      ],
    })
  })

  test('answers 304 until something changes for the agent', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    const provider = await providerOf(user.id)
    const etag = (await ask(`user/${user.id}`, token)).headers.get('etag')!

    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const same = await ask(`user/${user.id}`, token, { 'if-none-match': tags })
      assert.equal(same.status, 304, tags)
      assert.equal(await same.text(), '')
    }

    provider.models = [{ id: 'another', name: 'Another' }]
    await provider.save()
    const changed = await ask(`user/${user.id}`, token, { 'if-none-match': etag })
    assert.equal(changed.status, 200)
    assert.notEqual(changed.headers.get('etag'), etag)
  })

  test('answers the same 401 to an unknown, a wrong, a missing and a foreign token', async ({
    assert,
  }) => {
    const mine = await agentOfSomeone()
    const theirs = await agentOfSomeone()
    await providerOf(mine.user.id)
    await providerOf(theirs.user.id)

    const refused = await Promise.all([
      ask(`user/${mine.user.id}`, 'wrong'),
      ask(`user/${mine.user.id}`),
      ask(`user/${mine.user.id}`, theirs.token),
      ask(`user/${theirs.container.id}`, mine.token),
      ask(`user/${createId()}`, mine.token),
      ask(`system/${mine.user.id}`, mine.token),
      ask(`nonsense/${mine.user.id}`, mine.token),
      ask(`user/${mine.user.id}/files`, theirs.token),
    ])
    const bodies = await Promise.all(refused.map((response) => response.text()))
    assert.deepEqual(
      refused.map(({ status }) => status),
      refused.map(() => 401)
    )
    assert.equal(new Set(bodies).size, 1)
  })

  test('refuses the agent of a deactivated user', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    await providerOf(user.id)
    assert.equal((await ask(`user/${user.id}`, token)).status, 200)

    const { DateTime } = await import('luxon')
    await user.merge({ deactivatedAt: DateTime.utc() }).save()
    assert.equal((await ask(`user/${user.id}`, token)).status, 401)
  })

  test('says so when the owner has no provider to use', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    await providerOf(user.id, { isActive: false })
    await providerOf(user.id, { models: [] })

    const response = await ask(`user/${user.id}`, token)
    assert.equal(response.status, 409)
    const { errors } = (await response.json()) as any
    assert.equal(errors[0].code, 'E_NO_PROVIDER')
    assert.isNotEmpty(errors[0].hint)
  })

  test('holds no secret: neither a key nor the token', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    await providerOf(user.id, {}, CANARY)
    for (const path of [`user/${user.id}`, `user/${user.id}/files`]) {
      const text = await (await ask(path, token)).text()
      assert.notInclude(text, CANARY)
      assert.notInclude(text, token)
      assert.notInclude(text, 'enc:')
    }
  })

  test('is unknown to the public listener', async ({ assert }) => {
    const { user, token } = await agentOfSomeone()
    await providerOf(user.id)
    const address = `http://${process.env.HOST}:${process.env.PORT}`
    for (const path of [`agent-config/user/${user.id}`, 'llm/any/v1/models']) {
      const response = await fetch(`${address}/api/internal/${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      assert.equal(response.status, 404)
    }
    const router = await app.container.make('router')
    assert.notInclude(JSON.stringify(router.toJSON()), 'api/internal')
  })
})
