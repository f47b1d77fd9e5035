import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import emitter from '@adonisjs/core/services/emitter'
import testUtils from '@adonisjs/core/services/test_utils'
import AuditEvent from '#models/audit_event'
import settings from '#settings/services/main'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import { AgentPreferences } from '#user_settings/agent_preferences'
import { openAi, twoPeople, type Person } from '#tests/functional/user_settings/provider_input'

const PATH = '/api/v1/agent-config'

test.group('Agent config', (group) => {
  let me: Person
  let other: Person

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoPeople()
  })

  async function provider(name: string, models: string[], owner = me, isActive = true) {
    const providers = await app.container.make('settings.providers')
    const input = openAi({ name, isActive, models: models.map((id) => ({ id })) })
    return providers.create({ user: owner.user, address: null }, input)
  }

  test('has defaults before anything is set', async ({ client, assert }) => {
    await settings.set('agents.idleTimeoutMin', 45)
    const response = await client.get(PATH).bearerToken(me.token)
    response.assertStatus(200)
    assert.deepEqual(response.body().data, {
      primaryModel: null,
      fallbackModels: [],
      personality: null,
      providerId: null,
      idleTimeoutMin: 45,
      wakePolicy: 'scale_to_zero',
      profile: 'minimal',
      knowledge: 'off',
      wakeEarly: true,
      embeddingModel: null,
    })
  })

  test('forgets the hours of use once it is not to wake early', async ({ client, assert }) => {
    await client.put(PATH).json({ idleTimeoutMin: 7 }).bearerToken(me.token)
    const row = await UserContainer.ownedBy(me.user.id).firstOrFail()
    await row.seal('daysOfUse', '{"2026-11-27":[8]}')
    await row.save()
    await client.put(PATH).json({ idleTimeoutMin: 8 }).bearerToken(me.token)
    assert.isNotNull((await row.refresh()).daysOfUse)

    const response = await client.put(PATH).json({ wakeEarly: false }).bearerToken(me.token)
    assert.isFalse(response.body().data.wakeEarly)
    assert.isNull((await row.refresh()).daysOfUse)
    const restored = await client.put(PATH).json({ wakeEarly: null }).bearerToken(me.token)
    assert.isTrue(restored.body().data.wakeEarly)
  })

  for (const change of ['renamed', 'deleted'] as const) {
    test(`names no provider that was ${change} while an embedding was tried`, async ({
      assert,
    }) => {
      const { id } = await provider('work', ['large'])
      const actor = { user: me.user, address: null }
      const providers = await app.container.make('settings.providers')
      const embeddings = {
        async try() {
          if (change === 'deleted') await providers.delete(actor, id, { clear: true })
          else await providers.update(actor, id, { name: 'home' })
        },
      }
      const audit = await app.container.make('audit')
      const preferences = new AgentPreferences(settings, audit, () => {}, embeddings)
      const put = preferences.put(actor, { primaryModel: 'work/large', embeddingModel: 'work/e' })
      const refused: any = await put.catch((error: unknown) => error)
      assert.equal(refused.code, 'E_VALIDATION_ERROR')
      assert.isNull((await preferences.get(me.user.id)).primaryModel)
    })
  }

  test('is stored and read back, for one user only', async ({ client, assert }) => {
    const { id } = await provider('work', ['large', 'small'])
    const config = {
      primaryModel: 'work/large',
      fallbackModels: ['work/small'],
      personality: 'You are brief.',
      providerId: id,
      idleTimeoutMin: 7,
      wakePolicy: 'warm',
      profile: 'full',
      knowledge: 'read',
      wakeEarly: true,
      embeddingModel: null,
    }
    const response = await client.put(PATH).json(config).bearerToken(me.token)
    response.assertStatus(200)
    assert.deepEqual(response.body().data, config)

    const again = await client.get(PATH).bearerToken(me.token)
    assert.deepEqual(again.body().data, config)
    const theirs = await client.get(PATH).bearerToken(other.token)
    assert.isNull(theirs.body().data.personality)

    const container = await UserContainer.ownedBy(me.user.id).firstOrFail()
    assert.equal(container.containerName, `mosaic-user-${me.user.id}`)
    assert.equal(container.idleTimeoutMin, 7)
    assert.equal(container.status, 'stopped')
  })

  test('keeps what is left out, and goes back to the default for null', async ({
    client,
    assert,
  }) => {
    await provider('work', ['large'])
    const put = (body: object) => client.put(PATH).json(body).bearerToken(me.token)
    await put({ primaryModel: 'work/large', personality: 'Kind.', idleTimeoutMin: 7 })

    const kept = await put({ personality: 'Brief.' })
    assert.containsSubset(kept.body().data, {
      primaryModel: 'work/large',
      personality: 'Brief.',
      idleTimeoutMin: 7,
    })
    const cleared = await put({ primaryModel: null, personality: null, idleTimeoutMin: null })
    assert.containsSubset(cleared.body().data, {
      primaryModel: null,
      personality: null,
      idleTimeoutMin: 30,
    })
    assert.lengthOf(await UserAgentConfig.ownedBy(me.user.id), 1)
    assert.lengthOf(await UserContainer.ownedBy(me.user.id), 1)
  })

  test('takes a bare model id from the default provider, whatever slashes it has', async ({
    client,
    assert,
  }) => {
    await provider('first', ['vendor/model'])
    const { id } = await provider('second', ['vendor/model', 'solo'])
    const response = await client
      .put(PATH)
      .json({ providerId: id, primaryModel: 'vendor/model', fallbackModels: ['solo'] })
      .bearerToken(me.token)
    assert.containsSubset(response.body().data, {
      primaryModel: 'second/vendor/model',
      fallbackModels: ['second/solo'],
    })
  })

  test('refuses models and providers that are not there for this user', async ({
    client,
    assert,
  }) => {
    await provider('work', ['large'])
    await provider('resting', ['asleep'], me, false)
    const theirs = await provider('theirs', ['secret'], other)
    const cases: [body: object, field: string][] = [
      [{ primaryModel: 'work/unknown' }, 'primaryModel'],
      [{ primaryModel: 'resting/asleep' }, 'primaryModel'],
      [{ primaryModel: 'theirs/secret' }, 'primaryModel'],
      [{ primaryModel: 'secret' }, 'primaryModel'],
      [{ fallbackModels: ['work/large', 'nowhere/x'] }, 'fallbackModels.1'],
      [{ providerId: theirs.id }, 'providerId'],
      [{ idleTimeoutMin: 0 }, 'idleTimeoutMin'],
      [{ profile: 'huge' }, 'profile'],
      [{ personality: 'x'.repeat(20_001) }, 'personality'],
    ]
    for (const [body, field] of cases) {
      const response = await client.put(PATH).json(body).bearerToken(me.token)
      assert.equal(response.status(), 422, JSON.stringify(body).slice(0, 80))
      assert.equal(response.body().errors[0].field, field)
    }
    assert.isNull(await UserAgentConfig.ownedBy(me.user.id).first())
  })

  test('records and tells each change, without the personality', async ({
    client,
    assert,
    cleanup,
  }) => {
    const events = emitter.fake(['agent:settings_changed'])
    cleanup(() => emitter.restore())
    await client.put(PATH).json({ personality: 'canary-soul' }).bearerToken(me.token)

    const event = await AuditEvent.findByOrFail('action', 'agent_config.updated')
    assert.deepEqual(event.details, { changed: ['personality'] })
    events.assertEmitted('agent:settings_changed', ({ data }) => data.userId === me.user.id)
  })
})

test.group('Agent config, first set from several places at once', (group) => {
  group.each.setup(() => testUtils.db().truncate())

  test('becomes one row, and every call is answered', async ({ client, assert }) => {
    const [me] = await twoPeople()
    const answers = await Promise.all(
      [5, 6, 7, 8].map((idleTimeoutMin) =>
        client.put(PATH).json({ idleTimeoutMin }).bearerToken(me.token)
      )
    )
    for (const answer of answers) answer.assertStatus(200)
    assert.lengthOf(await UserAgentConfig.ownedBy(me.user.id), 1)
    assert.lengthOf(await UserContainer.ownedBy(me.user.id), 1)
  })
})
