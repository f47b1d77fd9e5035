import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { openAiAgents } from '#tests/e2e/clients/agents_sdk'
import { aiCompatible, aiOpenAi } from '#tests/e2e/clients/ai_sdk'
import { ClientHouse } from '#tests/e2e/clients/house'
import { langchain } from '#tests/e2e/clients/langchain_sdk'
import { openAiChat, openAiResponses } from '#tests/e2e/clients/openai_sdk'
import { busy, PIXEL, resultOf, TARGETS, type Connection, type Sdk } from '#tests/e2e/clients/sdk'
import { USAGE } from '#tests/e2e/scripted_turn'

const TIMEOUT_MS = 120_000
const SDKS: ((connection: Connection) => Promise<Sdk>)[] = [
  openAiChat,
  openAiResponses,
  aiCompatible,
  aiOpenAi,
  langchain,
  (connection) => openAiAgents(connection, 'chat completions'),
  (connection) => openAiAgents(connection, 'Responses'),
]
const NAMES = [
  'openai',
  'openai, Responses',
  'ai',
  'ai, Responses',
  '@langchain/openai',
  '@openai/agents, chat completions',
  '@openai/agents, Responses',
]

test.group('Clients that programs use, and the real OpenClaw', (group) => {
  const house = new ClientHouse()
  const { model } = house
  const sdks = new Map<string, Sdk>()

  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    await house.open()
    for (const make of SDKS) {
      const sdk = await make(house.connection)
      sdks.set(sdk.name, sdk)
    }
    return () => house.close()
  })
  group.each.setup(() => house.reset())
  group.each.timeout(TIMEOUT_MS)

  const told = () => JSON.stringify(model.bodies.at(-1))

  for (const name of NAMES) {
    const sdk = () => sdks.get(name)!
    for (const [target, asked] of Object.entries(TARGETS)) {
      const title = (feature: string) => `${name}, ${target}: ${feature}`
      const ask = { model: asked, prompt: 'Good morning' }

      test(title('streams, with usage'), async ({ assert }) => {
        const pieces: string[] = []
        const answer = await sdk().stream(ask, (piece) => pieces.push(piece))
        assert.equal(pieces.join(''), 'Hello there.')
        assert.deepEqual(answer, { text: 'Hello there.', usage: USAGE })
      })

      test(title('answers whole, with usage'), async ({ assert }) => {
        assert.deepEqual(await sdk().ask(ask), { text: 'Hello there.', usage: USAGE })
      })

      test(title('aborts'), async ({ assert }) => {
        model.script = () => ({ begins: 'It was a dark and ' })
        const left = model.whenLeft()
        const leaving = new AbortController()
        const { signal } = leaving
        const answer = sdk().stream({ ...ask, signal }, () => leaving.abort())
        await assert.rejects(() => answer)
        await left
      })

      for (const stream of [false, true]) {
        test(
          title(`runs its tools, two at once${stream ? ', in streams' : ''}`),
          async ({ assert }) => {
            const own = target === 'agent' ? 'client_read' : 'read'
            model.script = (_body, number) =>
              number === 1
                ? { calls: [own, 'get_weather'].map((one) => ({ name: one, args: { path: 'a' } })) }
                : { text: 'It says 42.' }
            const tools = ['read', 'get_weather']
            const { text } = await sdk()[stream ? 'stream' : 'ask']({ ...ask, tools })
            assert.equal(text, 'It says 42.')
            for (const tool of tools) assert.include(told(), resultOf(tool))
          }
        )
      }

      test(title('shows an image'), async ({ assert }) => {
        await sdk().ask({ ...ask, image: PIXEL })
        assert.include(told(), 'data:image/')
      })

      test(title('gets an object of a schema'), async ({ assert }) => {
        model.script = () => ({ text: '{"city":"Paris"}' })
        assert.deepEqual(await sdk().object(ask), { city: 'Paris' })
        assert.include(told().replaceAll('\\', ''), '"city":{"type":"string"}')
      })

      for (const status of [401, 429, 503]) {
        test(title(`reads a ${status} of the provider`), async ({ assert }) => {
          model.script = () => busy(status)
          for (const how of ['ask', 'stream'] as const) {
            const failure = await sdk()
              [how](ask)
              .then(
                () => null,
                (error) => sdk().statusOf(error)
              )
            assert.equal(failure, status, how)
          }
        })
      }

      for (const status of [429, 503]) {
        test(title(`tries again after a ${status}`), async ({ assert }) => {
          for (const how of ['ask', 'stream'] as const) {
            house.reset()
            model.script = (_body, number) => (number === 1 ? busy(status) : { text: 'Now.' })
            assert.equal((await sdk()[how]({ ...ask, retries: 2 })).text, 'Now.', how)
          }
        })
      }

      test(title('waits for a sleeping agent'), async ({ assert }) => {
        for (const how of ['ask', 'stream'] as const) {
          house.sleep()
          assert.equal((await sdk()[how](ask)).text, 'Hello there.', how)
        }
      })
    }
  }
})
