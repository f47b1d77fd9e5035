import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import emitter from '@adonisjs/core/services/emitter'
import testUtils from '@adonisjs/core/services/test_utils'
import AuditEvent from '#models/audit_event'
import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import UserAgentConfig from '#models/user_agent_config'
import { Visitor } from '#tests/visitor'
import {
  CANARY_KEY,
  openAi,
  twoPeople,
  type Person,
} from '#tests/functional/user_settings/provider_input'

const PATH = '/api/v1/providers'

test.group('Providers', (group) => {
  let me: Person
  let other: Person

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoPeople()
  })

  async function create(changes: object = {}, owner = me): Promise<LlmProvider> {
    const providers = await app.container.make('settings.providers')
    return providers.create({ user: owner.user, address: null }, openAi(changes))
  }

  test('refuse a value with what would be right', async ({ client, assert }) => {
    const sent = { ...openAi(), name: 'Work OpenAI!' }
    const response = await client.post(PATH).json(sent).bearerToken(me.token)
    response.assertStatus(422)
    const [{ field, message }] = response.body().errors
    assert.equal(field, 'name')
    assert.match(message, /^A name has small letters, digits and hyphens/)

    const wishes = { wakePolicy: 'sometimes' }
    const refused = await client.put('/api/v1/agent-config').json(wishes).bearerToken(me.token)
    assert.match(refused.body().errors[0].message, /^Choose one of these: scale_to_zero,/)
  })

  test('refuse an address with what is wrong with it: {baseUrl}')
    .with([
      { baseUrl: 'http://127.0.0.1:99999/v1', says: /port .* 99999/ },
      { baseUrl: 'api.example.org', says: /begin with http/ },
      { baseUrl: 'http://:80', says: /names no server/ },
    ])
    .run(async ({ assert }, { baseUrl, says }) => {
      const sent = openAi({ type: 'custom', baseUrl })
      const visitor = new Visitor({ headers: { authorization: `Bearer ${me.token}` } })
      for (const path of [PATH, `${PATH}/test`]) {
        const { status, body } = await visitor.post(path, sent)
        assert.equal(status, 422)
        assert.equal(body.errors[0].field, 'baseUrl')
        assert.match(body.errors[0].message, says)
      }
    })

  test('are created and read back without the key', async ({ client, assert }) => {
    const response = await client.post(PATH).json(openAi()).bearerToken(me.token)
    response.assertStatus(201)
    const { id, apiKey, createdAt, updatedAt, ...rest } = response.body().data
    assert.deepEqual(rest, {
      type: 'openai',
      name: 'work-openai',
      displayName: 'Work',
      baseUrl: null,
      apiType: 'openai-responses',
      models: [{ id: 'gpt-5.4', name: 'GPT-5.4', contextWindow: 400_000, maxTokens: 128_000 }],
      isActive: true,
    })
    assert.containsSubset(apiKey, { set: true, last4: '7d6c' })
    for (const time of [apiKey.updatedAt, createdAt, updatedAt]) {
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
    }

    const shown = await client.get(`${PATH}/${id}`).bearerToken(me.token)
    shown.assertStatus(200)
    assert.equal(shown.body().data.apiKey.last4, '7d6c')
    const stored = await LlmProvider.findOrFail(id)
    assert.equal(await stored.open('apiKey'), CANARY_KEY)
  })

  test('need an access token, or a session with its CSRF token', async ({ client, assert }) => {
    const { id } = await create()
    const paths = [PATH, `${PATH}/${id}`, '/api/v1/provider-types', '/api/v1/agent-config']
    for (const path of paths) {
      const response = await client.get(path).accept('json')
      response.assertStatus(401)
    }

    const credentials = { username: 'admin', password: 'correct horse battery' }
    const accounts = await app.container.make('identity.breakglass')
    const admin = await accounts.create(credentials)
    const browser = new Visitor()
    await browser.post('/api/v1/session', credentials)
    const saved = await browser.post(PATH, openAi())
    assert.equal(saved.status, 201)
    assert.lengthOf(await LlmProvider.ownedBy(admin.id), 1)

    const forged = await browser.post(PATH, openAi({ name: 'b' }), { 'x-xsrf-token': '' })
    assert.equal(forged.status, 403)
    assert.lengthOf(await LlmProvider.ownedBy(admin.id), 1)
  })

  test('are listed by pages, and only to their owner', async ({ client, assert }) => {
    for (const name of ['one', 'two', 'three']) await create({ name })
    await create({ name: 'theirs' }, other)

    const page = await client.get(PATH).qs({ page: 2, limit: 2 }).bearerToken(me.token)
    assert.deepEqual(page.body().meta, { total: 3, page: 2, limit: 2, totalPages: 2 })
    assert.deepEqual(
      page.body().data.map(({ name }: { name: string }) => name),
      ['two']
    )
    const past = await client.get(PATH).qs({ page: 9 }).bearerToken(me.token)
    assert.deepEqual(past.body().data, [])
    assert.equal(past.body().meta.total, 3)
    const wrong = await client.get(PATH).qs({ limit: 101 }).bearerToken(me.token)
    wrong.assertStatus(422)
  })

  test("someone else's answer 404, for everything one may do with them", async ({
    client,
    assert,
  }) => {
    const { id } = await create({}, other)
    await me.user.merge({ role: 'admin' }).save()

    const answers = [
      await client.get(`${PATH}/${id}`).bearerToken(me.token),
      await client.patch(`${PATH}/${id}`).json({ name: 'mine' }).bearerToken(me.token),
      await client.delete(`${PATH}/${id}`).bearerToken(me.token),
      await client.post(`${PATH}/${id}/test`).json({}).bearerToken(me.token),
      await client.get(`${PATH}/nonsense`).bearerToken(me.token),
    ]
    for (const answer of answers) {
      answer.assertStatus(404)
      assert.deepEqual(answer.body(), answers[0].body())
    }
    assert.equal((await LlmProvider.findOrFail(id)).name, 'work-openai')
  })

  test('have names of their own for each owner', async ({ client, assert }) => {
    await create({}, other)
    const first = await client.post(PATH).json(openAi()).bearerToken(me.token)
    first.assertStatus(201)
    const second = await client.post(PATH).json(openAi()).bearerToken(me.token)
    second.assertStatus(409)
    assert.containsSubset(second.body().errors[0], { code: 'E_NAME_TAKEN', field: 'name' })

    const { id } = await create({ name: 'another' })
    const renamed = await client
      .patch(`${PATH}/${id}`)
      .json({ name: 'work-openai' })
      .bearerToken(me.token)
    renamed.assertStatus(409)
  })

  test('say at the field what is wrong with what was entered', async ({ client, assert }) => {
    const cases: [input: object, field: string][] = [
      [{ name: 'Work OpenAI' }, 'name'],
      [{ name: 'a/b' }, 'name'],
      [{ name: '-a' }, 'name'],
      [{ apiKey: undefined }, 'apiKey'],
      [{ apiKey: '' }, 'apiKey'],
      [{ apiKey: 'two\nlines' }, 'apiKey'],
      [{ apiKey: 'naïve' }, 'apiKey'],
      [{ baseUrl: 'ftp://host/v1' }, 'baseUrl'],
      [{ baseUrl: 'https://me:pw@host/v1' }, 'baseUrl'],
      [{ baseUrl: 'https://host/v1?key=1' }, 'baseUrl'],
      [{ baseUrl: 'nowhere' }, 'baseUrl'],
      [{ apiType: 'ollama' }, 'apiType'],
      [{ models: [] }, 'models'],
      [{ models: [{ id: 'a' }, { id: 'a' }] }, 'models'],
      [{ models: [{ id: '' }] }, 'models.0.id'],
      [{ models: [{ id: 'ok' }, { id: 'x@f16' }] }, 'models.1.id'],
      [{ models: [{ id: 'a\u200bb' }] }, 'models.0.id'],
      [{ models: [{ id: '${HOME}' }] }, 'models.0.id'],
      [{ models: [{ id: 'a', name: 'My ${HOME}' }] }, 'models.0.name'],
      [{ models: [{ id: 'a', contextWindow: 0 }] }, 'models.0.contextWindow'],
      [{ type: 'custom', baseUrl: null }, 'baseUrl'],
    ]
    for (const [input, field] of cases) {
      const response = await client.post(PATH).json(openAi(input)).bearerToken(me.token)
      assert.equal(response.status(), 422, JSON.stringify(input))
      assert.include(
        response.body().errors.map((error: { field: string }) => error.field),
        field
      )
    }
    assert.lengthOf(await LlmProvider.ownedBy(me.user.id), 0)

    const unknown = await client
      .post(PATH)
      .json(openAi({ type: 'acme' }))
      .bearerToken(me.token)
    unknown.assertStatus(422)
    assert.include(unknown.body().errors[0], { code: 'E_UNKNOWN_PROVIDER_TYPE', field: 'type' })
  })

  test('take their defaults from the kind of service', async ({ client, assert }) => {
    const demo = await client
      .post(PATH)
      .json({ type: 'demo', name: 'demo', apiKey: 'not-needed' })
      .bearerToken(me.token)
    demo.assertStatus(201)
    assert.containsSubset(demo.body().data, {
      displayName: 'demo',
      baseUrl: null,
      apiType: 'openai-completions',
      apiKey: { set: false, last4: null, updatedAt: null },
    })
    assert.equal(demo.body().data.models[0].id, 'echo')

    const claude = { type: 'anthropic', name: 'claude', apiKey: 'k' }
    const tidied = await client
      .post(PATH)
      .json({ ...claude, baseUrl: 'https://proxy.test/v1/' })
      .bearerToken(me.token)
    assert.equal(tidied.body().data.baseUrl, 'https://proxy.test')
    assert.equal(tidied.body().data.apiKey.last4, null)

    const own = await client
      .post(PATH)
      .json({ ...claude, name: 'own', baseUrl: 'https://api.anthropic.com/v1' })
      .bearerToken(me.token)
    assert.isNull(own.body().data.baseUrl)
  })

  test('change only what is given, and keep the key', async ({ client, assert }) => {
    const { id } = await create()
    const response = await client
      .patch(`${PATH}/${id}`)
      .json({ displayName: 'Office', isActive: false })
      .bearerToken(me.token)
    response.assertStatus(200)
    assert.containsSubset(response.body().data, {
      name: 'work-openai',
      displayName: 'Office',
      isActive: false,
      apiKey: { set: true, last4: '7d6c' },
    })
    const stored = await LlmProvider.findOrFail(id)
    assert.equal(await stored.open('apiKey'), CANARY_KEY)
    assert.lengthOf(stored.models, 1)

    const replaced = await client
      .patch(`${PATH}/${id}`)
      .json({ apiKey: 'another-key-of-mine' })
      .bearerToken(me.token)
    assert.equal(replaced.body().data.apiKey.last4, 'mine')
  })

  test('keep their kind, and a key that is required', async ({ client, assert }) => {
    const { id } = await create()
    for (const [changes, field] of [
      [{ type: 'custom' }, 'type'],
      [{ apiKey: null }, 'apiKey'],
      [{ models: [] }, 'models'],
    ] as const) {
      const response = await client.patch(`${PATH}/${id}`).json(changes).bearerToken(me.token)
      response.assertStatus(422)
      assert.equal(response.body().errors[0].field, field)
    }
  })

  test('never send a stored key to another address', async ({ client, assert }) => {
    const { id } = await create()
    const changes = { baseUrl: 'https://thief.test/v1' }
    const answers = [
      await client.patch(`${PATH}/${id}`).json(changes).bearerToken(me.token),
      await client.post(`${PATH}/${id}/test`).json(changes).bearerToken(me.token),
    ]
    for (const answer of answers) {
      answer.assertStatus(422)
      assert.equal(answer.body().errors[0].field, 'apiKey')
    }
    const withKey = await client
      .patch(`${PATH}/${id}`)
      .json({ ...changes, apiKey: 'a-key-for-it' })
      .bearerToken(me.token)
    withKey.assertStatus(200)
  })

  test('are followed by the references to their models when renamed', async ({
    client,
    assert,
  }) => {
    const { id } = await create()
    await UserAgentConfig.create({
      userId: me.user.id,
      primaryModel: 'work-openai/gpt-5.4',
      fallbackModels: ['work-openai/gpt-5.4', 'elsewhere/gpt-5.4'],
      profile: 'minimal',
    })
    const response = await client
      .patch(`${PATH}/${id}`)
      .json({ name: 'home' })
      .bearerToken(me.token)
    response.assertStatus(200)
    const config = await UserAgentConfig.ownedBy(me.user.id).firstOrFail()
    assert.equal(config.primaryModel, 'home/gpt-5.4')
    assert.deepEqual(config.fallbackModels, ['home/gpt-5.4', 'elsewhere/gpt-5.4'])
  })

  test('are not deleted while the agent uses them, unless it is told to let go', async ({
    client,
    assert,
  }) => {
    const { id } = await create()
    await UserAgentConfig.create({
      userId: me.user.id,
      primaryModel: 'work-openai/gpt-5.4',
      fallbackModels: ['work-openai/other', 'elsewhere/x'],
      providerId: id,
      profile: 'minimal',
    })
    const refused = await client.delete(`${PATH}/${id}`).bearerToken(me.token)
    refused.assertStatus(409)
    const [error] = refused.body().errors
    assert.equal(error.code, 'E_PROVIDER_IN_USE')
    assert.include(error.message, 'the primary model of your agent')
    assert.include(error.message, 'a fallback model of your agent')
    assert.include(error.hint, 'clear=true')

    const cleared = await client.delete(`${PATH}/${id}`).qs({ clear: true }).bearerToken(me.token)
    cleared.assertStatus(204)
    assert.isNull(await LlmProvider.find(id))
    const config = await UserAgentConfig.ownedBy(me.user.id).firstOrFail()
    assert.isNull(config.primaryModel)
    assert.isNull(config.providerId)
    assert.deepEqual(config.fallbackModels, ['elsewhere/x'])
  })

  test('are deleted at once when nothing uses them', async ({ client, assert }) => {
    const { id } = await create()
    const response = await client.delete(`${PATH}/${id}`).bearerToken(me.token)
    response.assertStatus(204)
    assert.isNull(await LlmProvider.find(id))
  })

  test('are never deleted under a system agent', async ({ client, assert }) => {
    const { id } = await create()
    await SystemContainer.create({ name: 'ops', role: 'operations', providerId: id })
    const response = await client.delete(`${PATH}/${id}`).qs({ clear: true }).bearerToken(me.token)
    response.assertStatus(409)
    assert.include(response.body().errors[0].message, 'the system agent ops')
  })

  test('record and tell each change, without the key', async ({ client, assert, cleanup }) => {
    const events = emitter.fake(['agent:settings_changed'])
    cleanup(() => emitter.restore())

    const created = await client.post(PATH).json(openAi()).bearerToken(me.token)
    const { id } = created.body().data
    await client.patch(`${PATH}/${id}`).json({ apiKey: 'another-long-key' }).bearerToken(me.token)
    await client.delete(`${PATH}/${id}`).bearerToken(me.token)

    const recorded = await AuditEvent.query().where('subject_id', id).orderBy('created_at')
    assert.sameMembers(
      recorded.map(({ action }) => action),
      ['provider.created', 'provider.updated', 'provider.deleted']
    )
    const update = recorded.find(({ action }) => action === 'provider.updated')
    assert.deepEqual(update?.details, { name: 'work-openai', changed: ['apiKey'] })
    for (const event of recorded) assert.equal(event.actorId, me.user.id)
    const told = events.all().map(({ data }) => data)
    assert.deepEqual(told, Array(3).fill({ userId: me.user.id }))
  })

  test('leave their keys in no row, answer or record', async ({ client, assert }) => {
    const created = await client.post(PATH).json(openAi()).bearerToken(me.token)
    const { id } = created.body().data
    const answers = [
      created,
      await client.get(PATH).bearerToken(me.token),
      await client.get(`${PATH}/${id}`).bearerToken(me.token),
      await client.post(PATH).json(openAi()).bearerToken(me.token),
      await client
        .post(PATH)
        .json(openAi({ name: 'B?' }))
        .bearerToken(me.token),
    ]
    for (const answer of answers) assert.notInclude(answer.text(), CANARY_KEY)
    for (const table of ['llm_providers', 'audit_events', 'system_configs', 'sessions']) {
      assert.notInclude(JSON.stringify(await db.from(table)), CANARY_KEY)
    }
  })
})

test.group('Provider types', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('describe themselves to the form', async ({ client, assert }) => {
    const [me] = await twoPeople()
    const response = await client.get('/api/v1/provider-types').bearerToken(me.token)
    response.assertStatus(200)
    const { data, meta } = response.body()
    assert.equal(meta.total, data.length)
    const custom = data.find(({ type }: { type: string }) => type === 'custom')
    assert.containsSubset(custom, {
      label: 'OpenAI-compatible service',
      defaults: { baseUrl: null, apiType: 'openai-completions', models: [] },
    })
    assert.containsSubset(custom.fields[0], { name: 'baseUrl', required: true })
  })
})
