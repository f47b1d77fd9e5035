import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import UserAgentConfig from '#models/user_agent_config'
import { AGENT_PROFILES } from '#models/types'
import { assembleDocument } from '#openclaw/document'
import type { GatewayClient } from '#openclaw/gateway_client'
import { fitsInHeader } from '#openclaw/model_names'
import { examineTimers } from '#openclaw/kept_timers'
import { PRIMER } from '#openclaw/primer_model'
import { freePort } from '#tests/free_port'
import { openclawFolder, RealAgent, refusalOf } from '#tests/e2e/real_openclaw'
import { agentOfSomeone, providerOf } from '#tests/functional/openclaw/agent'
import {
  json,
  LoopbackProvider,
  type ProviderCall,
} from '#tests/functional/llm_relay/loopback_provider'

const TYPES = ['openai', 'anthropic', 'zai', 'ollama', 'custom', 'demo']
const KEY = 'sk-canary-e2e-4410'
/** How each provider refuses, by its path: what falls back and what does not is OpenClaw's to judge. */
const REFUSALS: Record<string, { status: number; code?: string }> = {
  openai: { status: 401 },
  anthropic: { status: 402 },
  zai: { status: 429 },
  ollama: { status: 503 },
  custom: { status: 500 },
  work: { status: 404, code: 'model_not_found' },
}
/** Names of models that services are known to have, or could have. */
const NAMES = ['q@q4_k_m', 'c@20250101', '@cf/meta/llama:free', 'modèle', '模型']
const SOUL = 'You end every answer with the word marzipan.'

/** Joins the text of a streamed answer. */
function said(stream: string): string {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? line)
    .join('')
}

/** Names the provider that a call was meant for. */
const providerCalled = ({ url }: ProviderCall) => url.split('/')[1]
const modelCalled = ({ body }: ProviderCall) => JSON.parse(body).model

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test.group('The real OpenClaw', (group) => {
  let home: string

  group.each.setup(() => {
    home = mkdtempSync(join(tmpdir(), 'mosaic-openclaw-'))
    return () => rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  test('has timers that Mosaic knows', async ({ assert }) => {
    assert.deepEqual(await examineTimers(openclawFolder()), [])
  })

  for (const profile of AGENT_PROFILES) {
    test(`takes the ${profile} document with providers of every type`, async ({ assert }) => {
      const registry = await app.container.make('llm.registry')
      const providers = TYPES.map((type) => {
        const adapter = registry.get(type)
        const { apiType, models } = adapter.defaults
        const given = models.length > 0 ? models : [{ id: 'llama3', name: 'Llama 3' }]
        return { id: `p-${type}`, name: `my-${type}`, apiType, models: given, adapter }
      })
      const [primaryModel, ...fallbackModels] = providers.flatMap(({ name, models }) =>
        models.map(({ id }) => `${name}/${id}`)
      )
      const document = assembleDocument({
        profile,
        relayUrl: 'http://127.0.0.1:3334/api/internal/llm',
        providers,
        primaryModel,
        fallbackModels,
        providerId: null,
        embeddingModel: `${providers[0].name}/embed`,
      })
      assert.isNull(await refusalOf(document, home))
    })
  }
})

for (const profile of AGENT_PROFILES) {
  test.group(`The real OpenClaw with providers of every type (${profile})`, (group) => {
    let home: string
    let failing: LoopbackProvider
    let agent: RealAgent
    let token: string
    let gateway: GatewayClient

    group.setup(async () => {
      const truncate = await testUtils.db().truncate()
      home = mkdtempSync(join(tmpdir(), 'mosaic-openclaw-'))
      failing = await new LoopbackProvider().start()
      failing.reply = (response, call) => {
        const refusal = REFUSALS[providerCalled(call)]
        json(refusal.status, { error: { message: `no (${KEY})`, code: refusal.code } })(
          response,
          call
        )
      }
      const settings = await app.container.make('settings')
      await settings.set('network.allowedRanges', ['127.0.0.0/8'])
      gateway = await app.container.make('openclaw.gateway')
      const someone = await agentOfSomeone()
      token = someone.token
      await configure(someone.user.id)
      agent = new RealAgent(`user/${someone.user.id}`, token, home, await freePort())
      return async () => {
        await agent.stop()
        await failing.stop()
        rmSync(home, { recursive: true, force: true, maxRetries: 5 })
        await truncate()
      }
    })

    /** The demo model is the last resort. */
    async function configure(userId: string): Promise<void> {
      const registry = await app.container.make('llm.registry')
      for (const type of TYPES) {
        const { apiType } = registry.get(type).defaults
        const baseUrl = `${failing.url}/${type}`
        await providerOf(userId, { name: `my-${type}`, type, apiType, baseUrl }, KEY)
      }
      const models = NAMES.map((id) => ({ id, name: id }))
      const baseUrl = `${failing.url}/work`
      await providerOf(userId, { name: 'work', type: 'custom', baseUrl, models }, KEY)
      const [primaryModel, ...fallbackModels] = [
        ...TYPES.filter((type) => type !== 'demo').map((type) => `my-${type}/test-model`),
        ...NAMES.map((name) => `work/${name}`),
        'my-demo/test-model',
      ]
      const personality = SOUL
      await UserAgentConfig.create({ userId, personality, primaryModel, fallbackModels, profile })
    }

    async function complete(content: string, headers: Record<string, string>): Promise<string> {
      const response = await fetch(`${agent.url}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'authorization': `Bearer ${token}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify({
          model: 'openclaw',
          stream: true,
          messages: [{ role: 'user', content }],
        }),
        signal: AbortSignal.timeout(90_000),
      })
      return said(await response.text())
    }

    test('starts, and is prewarmed without a call to any of them', async ({ assert }) => {
      await agent.ready((url) => gateway.probeReady(url), 180_000)
      await gateway.prewarm(agent.url, token, AbortSignal.timeout(90_000))
      assert.isEmpty(failing.calls)
    })

    test('falls from one to the next, and asks for each model by the name that its owner chose', async ({
      assert,
    }) => {
      const answer = await complete('Say parrot.', { 'x-openclaw-session-key': 'c1' })
      assert.include(answer, 'parrot', `${answer}\n${agent.output}`)

      const { calls } = failing
      const others = ['openai', 'anthropic', 'zai', 'ollama', 'custom']
      assert.deepEqual(calls.map(providerCalled), [...others, ...NAMES.map(() => 'work')])
      assert.deepEqual(calls.slice(others.length).map(modelCalled), NAMES)
      for (const { body } of calls) assert.include(body, 'marzipan')
      const streamed = calls.filter(({ url }) => url.endsWith('/chat/completions'))
      assert.isNotEmpty(streamed)
      for (const { body } of streamed) {
        assert.isTrue(JSON.parse(body).stream_options?.include_usage)
      }
    })

    test('tells its conversations, and forgets one that is deleted', async ({ assert }) => {
      const sessions = async () => (await gateway.sessions(agent.url, token)).map(({ key }) => key)
      assert.sameMembers(await sessions(), ['c1', PRIMER.sessionKey])
      const history = await gateway.history(agent.url, token, 'c1')
      assert.deepInclude(history!.messages[0], { role: 'user', text: 'Say parrot.' })
      assert.equal(history!.messages[1].role, 'assistant')
      assert.isNull(await gateway.history(agent.url, token, 'nothing'))

      await gateway.deleteSession(agent.url, token, 'c1')
      assert.deepEqual(await sessions(), [PRIMER.sessionKey])
      assert.isNull(await gateway.history(agent.url, token, 'c1'))
    })

    test('asks for the model that a message names, whatever its name', async ({ assert }) => {
      for (const name of NAMES.filter(fitsInHeader)) {
        failing.calls.length = 0
        await complete('Hello.', { 'x-openclaw-model': `mosaic-work/${name}` })
        assert.deepEqual(failing.calls.map(modelCalled), [name])
      }
    })

    test('keeps no key, and its token in one file only; its log has no conversation', async ({
      assert,
    }) => {
      for (const file of filesBelow(home)) {
        const content = readFileSync(file)
        assert.isFalse(content.includes(KEY), `the key is in ${file}`)
        const mayHoldToken = file === join(home, 'secrets.json')
        assert.isTrue(mayHoldToken || !content.includes(token), `the token is in ${file}`)
      }
      assert.notInclude(agent.output, 'Say parrot')
      assert.notInclude(agent.output, KEY)
      assert.notInclude(agent.output, token)
    })
  })
}
