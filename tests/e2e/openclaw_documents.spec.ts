import { createServer } from 'node:net'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import UserAgentConfig from '#models/user_agent_config'
import { AGENT_PROFILES } from '#models/types'
import { assembleDocument } from '#openclaw/document'
import { fitsInHeader } from '#openclaw/model_names'
import { PRIMER } from '#openclaw/primer_model'
import { RealAgent, refusalOf } from '#tests/e2e/real_openclaw'
import { agentOfSomeone, providerOf } from '#tests/functional/openclaw/agent'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const TYPES = ['openai', 'anthropic', 'zai', 'ollama', 'custom', 'demo']
const KEY = 'sk-canary-e2e-4410'
const SOUL = 'You end every answer with the word marzipan.'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Joins the text of a streamed answer. */
function said(stream: string): string {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? line)
    .join('')
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test.group('The real OpenClaw', (group) => {
  let home: string

  group.each.setup(() => testUtils.db().truncate())
  group.each.setup(() => {
    home = mkdtempSync(join(tmpdir(), 'mosaic-openclaw-'))
    return () => rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  for (const profile of AGENT_PROFILES) {
    test(`takes the ${profile} document of each type of provider`, async ({ assert }) => {
      const registry = await app.container.make('llm.registry')
      const refusals = TYPES.map(async (type) => {
        const adapter = registry.get(type)
        const { apiType, models } = adapter.defaults
        const given = models.length > 0 ? models : [{ id: 'llama3', name: 'Llama 3' }]
        const document = assembleDocument({
          profile,
          relayUrl: 'http://127.0.0.1:3334/api/internal/llm',
          providers: [{ id: 'p1', name: 'work', apiType, models: given, adapter }],
          primaryModel: `work/${given[0].id}`,
          fallbackModels: given.slice(1).map(({ id }) => `work/${id}`),
          providerId: null,
        })
        return [type, await refusalOf(document, join(home, type))]
      })
      assert.deepEqual(
        await Promise.all(refusals),
        TYPES.map((type) => [type, null])
      )
    })
  }

  for (const profile of AGENT_PROFILES) {
    test(`starts with every kind of provider at once (${profile}) and falls from one to the next`, async ({
      assert,
    }) => {
      const failing = await new LoopbackProvider().start()
      const statuses: Record<string, number> = {
        openai: 401,
        anthropic: 402,
        zai: 429,
        ollama: 503,
      }
      failing.reply = (response, call) => {
        const [, type] = call.url.split('/')
        json(statuses[type] ?? 500, { error: { message: `no (${KEY})` } })(response, call)
      }
      const settings = await app.container.make('settings')
      await settings.set('network.allowedRanges', ['127.0.0.0/8'])
      const { user, token } = await agentOfSomeone()
      const registry = await app.container.make('llm.registry')
      for (const type of TYPES) {
        const { apiType } = registry.get(type).defaults
        await providerOf(
          user.id,
          { name: `my-${type}`, type, apiType, baseUrl: `${failing.url}/${type}` },
          KEY
        )
      }
      const [primaryModel, ...fallbackModels] = TYPES.map((type) => `my-${type}/test-model`)
      await UserAgentConfig.create({
        userId: user.id,
        personality: SOUL,
        primaryModel,
        fallbackModels,
        profile,
      })

      const gateway = await app.container.make('openclaw.gateway')
      const agent = new RealAgent(`user/${user.id}`, token, home, await freePort())
      try {
        await agent.ready((url) => gateway.probeReady(url), 180_000)
        await gateway.prewarm(agent.url, token, AbortSignal.timeout(90_000))
        assert.isEmpty(failing.calls)
        const response = await fetch(`${agent.url}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            'authorization': `Bearer ${token}`,
            'content-type': 'application/json',
            'x-openclaw-session-key': 'c1',
          },
          body: JSON.stringify({
            model: 'openclaw',
            stream: true,
            messages: [{ role: 'user', content: 'Say parrot.' }],
          }),
          signal: AbortSignal.timeout(90_000),
        })
        const answer = said(await response.text())
        assert.include(answer, 'parrot', `${answer}\n${agent.output}`)

        const asked = failing.calls.map(({ url }) => url.split('/')[1])
        assert.deepEqual(asked, ['openai', 'anthropic', 'zai', 'ollama', 'custom'])
        for (const { body } of failing.calls) assert.include(body, 'marzipan')
        const streamed = failing.calls.filter(({ url }) => url.endsWith('/chat/completions'))
        assert.isNotEmpty(streamed)
        for (const { body } of streamed) {
          assert.isTrue(JSON.parse(body).stream_options?.include_usage)
        }

        const sessions = async () =>
          (await gateway.sessions(agent.url, token)).map(({ key }) => key)
        assert.sameMembers(await sessions(), ['c1', PRIMER.sessionKey])
        const history = await gateway.history(agent.url, token, 'c1')
        assert.deepInclude(history!.messages[0], { role: 'user', text: 'Say parrot.' })
        assert.equal(history!.messages[1].role, 'assistant')
        assert.isNull(await gateway.history(agent.url, token, 'nothing'))

        await gateway.deleteSession(agent.url, token, 'c1')
        assert.deepEqual(await sessions(), [PRIMER.sessionKey])
        assert.isNull(await gateway.history(agent.url, token, 'c1'))

        for (const file of filesBelow(home)) {
          const content = readFileSync(file)
          assert.isFalse(content.includes(KEY), `the key is in ${file}`)
          const mayHoldToken = file === join(home, 'secrets.json')
          assert.isTrue(mayHoldToken || !content.includes(token), `the token is in ${file}`)
        }
        /** Its error output becomes the instance's log: no secrets and no conversation. */
        assert.notInclude(agent.output, 'Say parrot')
        assert.notInclude(agent.output, KEY)
        assert.notInclude(agent.output, token)
      } finally {
        await agent.stop()
        await failing.stop()
      }
    })
  }

  test('asks the service for each model by the name that its owner chose', async ({ assert }) => {
    const service = await new LoopbackProvider().start()
    service.reply = json(404, { error: { message: 'no such model', code: 'model_not_found' } })
    const settings = await app.container.make('settings')
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    const { user, token } = await agentOfSomeone()
    const names = ['q@q4_k_m', 'c@20250101', '@cf/meta/llama:free', 'modèle', '模型']
    const models = names.map((id) => ({ id, name: id }))
    await providerOf(user.id, { name: 'work', type: 'custom', baseUrl: service.url, models }, KEY)
    const [primaryModel, ...fallbackModels] = names.map((id) => `work/${id}`)
    const profile = 'minimal'
    await UserAgentConfig.create({ userId: user.id, primaryModel, fallbackModels, profile })

    const gateway = await app.container.make('openclaw.gateway')
    const agent = new RealAgent(`user/${user.id}`, token, home, await freePort())
    const ask = async (headers: Record<string, string> = {}) => {
      service.calls.length = 0
      const response = await fetch(`${agent.url}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'authorization': `Bearer ${token}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify({
          model: 'openclaw',
          messages: [{ role: 'user', content: 'Hello.' }],
        }),
        signal: AbortSignal.timeout(90_000),
      })
      await response.text()
      return service.calls.map(({ body }) => JSON.parse(body).model)
    }
    try {
      await agent.ready((url) => gateway.probeReady(url), 180_000)
      assert.deepEqual(await ask(), names)
      for (const name of names.filter(fitsInHeader)) {
        assert.deepEqual(await ask({ 'x-openclaw-model': `mosaic-work/${name}` }), [name])
      }
    } finally {
      await agent.stop()
      await service.stop()
    }
  })
})
