import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { ownModel } from '#user_settings/own_models'
import settings from '#settings/services/main'
import { Settings } from '#settings/settings'
import vault from '#vaults/services/main'
import LlmProvider from '#models/llm_provider'
import SystemConfig from '#models/system_config'
import SystemContainer from '#models/system_container'
import UserAgentConfig from '#models/user_agent_config'
import { SystemAgents, type AgentControls } from '#agents/system_agents/system_agents'
import { Visitor } from '#tests/visitor'

const BASE = '/api/v1/onboarding'
const SECRET = 'canary-client-secret'

/** An issuer on loopback. `document` returns its discovery document, given its address. */
async function issuer(document: (url: string) => unknown) {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo
    const known = request.url === '/.well-known/openid-configuration'
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
    response.end(known ? JSON.stringify(document(`http://127.0.0.1:${port}`)) : '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() }
}

const asIssuer = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/keys`,
})

async function admin() {
  const visitor = new Visitor()
  const onboarding = await app.container.make('onboarding')
  const { status, body } = await visitor.post(`${BASE}/breakglass`, {
    setupToken: await onboarding.setupToken.value(),
    username: 'admin',
    password: 'correct horse battery',
  })
  if (status !== 201) throw new Error(`not claimed: ${JSON.stringify(body)}`)
  return visitor
}

function recordingControls() {
  const calls: string[] = []
  const note = (verb: string) => async (agent: string) => void calls.push(`${verb} ${agent}`)
  const controls: AgentControls = {
    start: note('start'),
    stop: note('stop'),
    restart: note('restart'),
  }
  return { calls, controls }
}

test.group('The steps of the onboarding', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await SystemConfig.query().delete()
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  })

  test('an issuer is asked before it is stored, and its secret sealed', async ({
    assert,
    cleanup,
  }) => {
    const visitor = await admin()
    const idp = await issuer(asIssuer)
    cleanup(() => idp.close())

    const client = { issuerUrl: idp.url, clientId: 'mosaic', clientSecret: SECRET }
    const stored = await visitor.post(`${BASE}/auth`, client)
    assert.equal(stored.status, 200)
    assert.deepEqual(stored.body.data, { completed: false, step: 'provider' })
    assert.equal(await settings.get('oidc.issuerUrl'), idp.url)
    assert.equal(await settings.get('oidc.clientSecret'), SECRET)
    const row = await SystemConfig.findByOrFail('key', 'oidc.clientSecret')
    assert.notInclude(row.value!, SECRET)
  })

  test('a step that another replica recorded a moment ago stays done', async ({ assert }) => {
    const onboarding = await app.container.make('onboarding')
    await onboarding.state()
    await new Settings(vault).set('onboarding.steps', ['auth'])
    await onboarding.stepDone('provider')
    assert.sameMembers(await settings.get('onboarding.steps'), ['auth', 'provider'])
  })

  test('an issuer that stands for many is not asked for again', async ({ assert, cleanup }) => {
    const many = await issuer((url) => ({ ...asIssuer(url), issuer: `${url}/{tenantid}/v2.0` }))
    cleanup(() => many.close())
    const visitor = await admin()
    const named = [many.url, `${many.url}/{tenantid}/v2.0`, `${many.url}/%7Btenantid%7D/v2.0`]
    for (const issuerUrl of named) {
      const client = { issuerUrl, clientId: 'mosaic', clientSecret: SECRET }
      const { status, body } = await visitor.post('/api/v1/onboarding/auth', client)
      assert.deepEqual([status, body.errors[0].field], [422, 'issuerUrl'])
      assert.include(body.errors[0].hint, 'your tenant ID')
      assert.notInclude(body.errors[0].hint, '{tenantid}')
    }
  })

  test('a wrong issuer is refused with a hint at its field', async ({ assert, cleanup }) => {
    const visitor = await admin()
    const another = await issuer((url) => asIssuer(`${url}/other`))
    const nothing = await issuer(() => ({ hello: 'world' }))
    cleanup(() => {
      another.close()
      nothing.close()
    })

    const wrong = [another.url, nothing.url, `${another.url}/realm`, 'http://127.0.0.1:9']
    for (const issuerUrl of wrong) {
      const client = { issuerUrl, clientId: 'mosaic', clientSecret: SECRET }
      const { status, body } = await visitor.post(`${BASE}/auth`, client)
      assert.equal(status, 422, issuerUrl)
      assert.equal(body.errors[0].field, 'issuerUrl')
      assert.isNotEmpty(body.errors[0].hint)
      assert.notInclude(JSON.stringify(body), SECRET)
    }
    assert.isNull(await settings.get('oidc.issuerUrl'))
  })

  test('an issuer at a private address is called only where that is allowed', async ({
    assert,
    cleanup,
  }) => {
    const visitor = await admin()
    const idp = await issuer(asIssuer)
    cleanup(() => idp.close())
    await settings.set('network.allowedRanges', [])

    const client = { issuerUrl: idp.url, clientId: 'mosaic', clientSecret: SECRET }
    const { status, body } = await visitor.post(`${BASE}/auth`, client)
    assert.equal(status, 422)
    assert.include(body.errors[0].hint, 'range')
  })

  test('a provider is tested, stored, and its model chosen for the admin', async ({ assert }) => {
    const visitor = await admin()
    const input = { type: 'demo', name: 'demo', displayName: 'Demo', primaryModel: 'echo' }
    const done = await visitor.post(`${BASE}/provider`, input)
    assert.equal(done.status, 200, JSON.stringify(done.body))

    const provider = await LlmProvider.findByOrFail('name', 'demo')
    const config = await UserAgentConfig.findByOrFail('userId', provider.userId)
    assert.equal(config.primaryModel, 'demo/echo')
    assert.equal(config.providerId, provider.id)

    const again = await visitor.post(`${BASE}/provider`, { ...input, primaryModel: 'demo/echo' })
    assert.equal(again.status, 200)
    assert.lengthOf(await LlmProvider.all(), 1)
  })

  test('a model that the service does not have is refused', async ({ assert }) => {
    const visitor = await admin()
    const input = { type: 'demo', name: 'demo', primaryModel: 'no-such-model' }
    const { status, body } = await visitor.post(`${BASE}/provider`, input)
    assert.equal(status, 422)
    assert.equal(body.errors[0].field, 'primaryModel')
    assert.lengthOf(await LlmProvider.all(), 0)
  })

  test('a provider that does not answer is refused with the reason', async ({ assert }) => {
    const visitor = await admin()
    const { status, body } = await visitor.post(`${BASE}/provider`, {
      type: 'custom',
      name: 'nobody',
      baseUrl: 'http://127.0.0.1:9/v1',
      apiKey: 'sk-canary-key',
      models: [{ id: 'some-model', name: 'Some model' }],
      primaryModel: 'some-model',
    })
    assert.equal(status, 422)
    const [error] = body.errors
    assert.equal(error.code, 'E_CONNECTION_FAILED')
    assert.equal(error.reason, 'unreachable')
    assert.equal(error.field, 'baseUrl')
    assert.isNotEmpty(error.hint)
    assert.notInclude(JSON.stringify(body), 'sk-canary-key')
    assert.lengthOf(await LlmProvider.all(), 0)
  })

  test('system agents are made with the provider of the admin, and started', async ({
    assert,
    cleanup,
  }) => {
    const { calls, controls } = recordingControls()
    const real = await app.container.make('agents.system')
    const audit = await app.container.make('audit')
    app.container.bindValue(
      'agents.system',
      new SystemAgents(async () => controls, audit, ownModel)
    )
    cleanup(() => app.container.bindValue('agents.system', real))
    const visitor = await admin()
    await visitor.post(`${BASE}/provider`, { type: 'demo', name: 'demo', primaryModel: 'echo' })

    const agents = [{ name: 'mosaic-system-ops', role: 'operations', primaryModel: 'demo/echo' }]
    const done = await visitor.post(`${BASE}/system-agents`, { agents })
    assert.equal(done.status, 200, JSON.stringify(done.body))
    const row = await SystemContainer.findByOrFail('name', 'mosaic-system-ops')
    assert.equal(row.desired, 'running')
    assert.equal(row.primaryModel, 'demo/echo')
    assert.equal(row.providerId, (await LlmProvider.firstOrFail()).id)
    assert.deepEqual(calls, [`start system/${row.id}`])

    const again = await visitor.post(`${BASE}/system-agents`, { agents })
    assert.equal(again.status, 200)
    assert.lengthOf(await SystemContainer.all(), 1)
  })

  test('all steps can be skipped but the provider', async ({ assert }) => {
    const visitor = await admin()
    const skip = { skip: true }
    assert.equal((await visitor.post(`${BASE}/auth`, skip)).body.data.step, 'provider')
    assert.equal((await visitor.post(`${BASE}/system-agents`, skip)).body.data.step, 'provider')
    assert.equal((await visitor.post(`${BASE}/provider`, skip)).status, 422)
    assert.equal((await visitor.post(`${BASE}/auth`, {})).status, 422)
    const unskipped = { skip: false }
    assert.equal((await visitor.post(`${BASE}/auth`, unskipped)).body.errors[0].field, 'issuerUrl')
    const noAgents = { ...unskipped, agents: [] }
    assert.equal((await visitor.post(`${BASE}/system-agents`, noAgents)).status, 200)
    assert.equal((await visitor.post(`${BASE}/system-agents`, { agents: [] })).status, 200)
    assert.equal((await visitor.post(`${BASE}/system-agents`, {})).status, 422)
    await visitor.post(`${BASE}/provider`, { type: 'demo', name: 'demo', primaryModel: 'echo' })
    const done = await visitor.post(`${BASE}/complete`)
    assert.deepEqual(done.body.data, { completed: true, step: 'complete' })
  })
})
