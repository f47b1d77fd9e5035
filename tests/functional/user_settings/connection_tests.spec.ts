import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { LoopbackService } from '#tests/contracts/loopback_service'
import { CANARY_KEY, twoPeople, type Person } from '#tests/functional/user_settings/provider_input'

const PATH = '/api/v1/providers'

test.group('Connection tests', (group) => {
  let me: Person
  let service: LoopbackService

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me] = await twoPeople()
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    service = await LoopbackService.start(({ headers }) =>
      headers.authorization === `Bearer ${CANARY_KEY}`
        ? { status: 200, json: { data: [{ id: 'model-1' }] } }
        : { status: 401, json: { error: `wrong: ${headers.authorization}` } }
    )
    return () => service.close()
  })

  const entered = (changes: object = {}) => ({
    type: 'custom',
    baseUrl: `${service.url}/v1/`,
    apiKey: CANARY_KEY,
    ...changes,
  })

  async function stored() {
    const providers = await app.container.make('settings.providers')
    const actor = { user: me.user, address: null }
    return providers.create(actor, { ...entered(), name: 'local', models: [{ id: 'model-1' }] })
  }

  test('really call the service before anything is stored', async ({ client, assert }) => {
    const response = await client.post(`${PATH}/test`).json(entered()).bearerToken(me.token)
    response.assertStatus(200)
    const { data } = response.body()
    assert.isTrue(data.ok)
    assert.isNumber(data.latencyMs)
    assert.deepEqual(data.models, [{ id: 'model-1', name: 'model-1' }])
    assert.equal(service.received[0].url, '/v1/models')
  })

  test('tell why a service refuses, without the key', async ({ client, assert }) => {
    const response = await client
      .post(`${PATH}/test`)
      .json(entered({ apiKey: 'canary-wrong-key-1234' }))
      .bearerToken(me.token)
    response.assertStatus(200)
    assert.containsSubset(response.body().data, { ok: false, reason: 'unauthorized', models: [] })
    assert.notInclude(response.text(), 'canary-wrong-key')
  })

  test('go nowhere an admin did not allow, and follow a change of that at once', async ({
    client,
    assert,
  }) => {
    const run = () => client.post(`${PATH}/test`).json(entered()).bearerToken(me.token)
    await settings.set('network.allowedRanges', [])
    const shut = await run()
    assert.equal(shut.body().data.reason, 'blocked_address')
    assert.lengthOf(service.received, 0)

    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    const open = await run()
    assert.isTrue(open.body().data.ok)
  })

  test('use the stored key of a stored provider', async ({ client, assert }) => {
    const { id } = await stored()
    const path = `${PATH}/${id}/test`
    const response = await client.post(path).json({}).bearerToken(me.token)
    assert.isTrue(response.body().data.ok)

    const otherPath = { baseUrl: `${service.url}/v2` }
    const changed = await client.post(path).json(otherPath).bearerToken(me.token)
    assert.isTrue(changed.body().data.ok)
    assert.equal(service.received.at(-1)?.url, '/v2/models')

    const replaced = await client.post(path).json({ apiKey: 'another' }).bearerToken(me.token)
    assert.equal(replaced.body().data.reason, 'unauthorized')
  })

  test('need what the form marks as required, but no model', async ({ client, assert }) => {
    const response = await client
      .post(`${PATH}/test`)
      .json({ type: 'openai' })
      .bearerToken(me.token)
    response.assertStatus(422)
    assert.deepEqual(
      response.body().errors.map(({ field }: { field: string }) => field),
      ['apiKey']
    )
  })

  test('of the demo model need nothing at all', async ({ client, assert }) => {
    const response = await client.post(`${PATH}/test`).json({ type: 'demo' }).bearerToken(me.token)
    assert.isTrue(response.body().data.ok)
  })
})
