import OpenAI from 'openai'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { ProviderFailures } from '#llm_relay/provider_failures'
import { SharedFailures } from '#llm_relay/shared_failures'
import { systemClock } from '#timing/clock'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { failureOf } from '#tests/doubles/openai_failure'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { statementsOf } from '#tests/statements'

const LIMITED = {
  provider: 'work',
  reason: 'rate_limited' as const,
  message: 'work takes no more calls. It says: canary-of-a-chat',
  status: 429,
  retryAfterSec: 21,
}

async function replicaOfMosaic({ alone = false, now = Date.now } = {}) {
  const shared = new SharedFailures({ alone }, await app.container.make('logger'))
  return new ProviderFailures({ ...systemClock, now }, shared)
}

test.group('A failure of a provider that another replica of Mosaic saw', (group) => {
  let owner: Awaited<ReturnType<typeof userWithToken>>
  const agent = () => `user/${owner.user.id}` as const

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    owner = await userWithToken()
  })

  test('is found by the one that carries the chat, without any text of the service', async ({
    assert,
  }) => {
    const [carries, relays] = [await replicaOfMosaic(), await replicaOfMosaic()]
    const since = new Date()
    assert.isNull(await carries.find(agent(), since))
    await relays.record(agent(), { provider: 'home', reason: 'timeout', message: 'Silent.' })
    await relays.record(agent(), LIMITED)
    const { at, ...found } = (await carries.find(agent(), since))!
    const message = 'work takes no more calls for now: its rate limit is reached.'
    assert.deepEqual(found, { ...LIMITED, message })
    assert.isAtLeast(at.getTime(), since.getTime())
    const rows = await db.from('provider_failures')
    assert.lengthOf(rows, 1)
    assert.notInclude(JSON.stringify(rows), 'canary')
  })

  test('is none of a turn that began later', async ({ assert }) => {
    const before = await replicaOfMosaic({ now: () => Date.now() - 60_000 })
    await before.record(agent(), LIMITED)
    assert.isNull(await (await replicaOfMosaic()).find(agent(), new Date()))
  })

  test('goes with its user, and a lone replica writes none', async ({ assert }) => {
    await (await replicaOfMosaic({ alone: true })).record(agent(), LIMITED)
    await (await replicaOfMosaic()).record('user/nobody', LIMITED)
    await (await replicaOfMosaic()).record('system/nobody', LIMITED)
    assert.lengthOf(await db.from('provider_failures').where('user_id', owner.user.id), 0)
    await (await replicaOfMosaic()).record(agent(), LIMITED)
    await owner.user.delete()
    assert.lengthOf(await db.from('provider_failures').where('user_id', owner.user.id), 0)
  })

  test('is written seldom, however often calls fail', async ({ assert }) => {
    const relays = await replicaOfMosaic()
    const statements = await statementsOf(() =>
      Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          relays.record(agent(), { ...LIMITED, retryAfterSec: index + 1 })
        )
      )
    )
    const writes = statements.filter((sql) => sql.includes('provider_failures'))
    assert.lengthOf(writes, 2)
    const found = await (await replicaOfMosaic()).find(agent(), new Date(0))
    assert.equal(found?.retryAfterSec, 200)
  })

  for (const stream of [false, true]) {
    test(`gives /v1 its status (stream: ${stream})`, async ({ assert, cleanup }) => {
      const gateway = await new ScriptedGateway().start()
      const surface = scriptedSurface({ failures: await replicaOfMosaic() })
      cleanup(async () => {
        await surface.restore()
        await gateway.stop()
      })
      surface.waker.remembered = gateway.access
      const other = await replicaOfMosaic()
      gateway.script = async (reply) => {
        await other.record(agent(), LIMITED)
        if (stream) reply.begin().fail('All models failed (1): model_not_found')
        else reply.json(404, { error: { message: 'model_not_found', type: 'not_found' } })
      }
      const options = { baseURL: `${baseUrl()}/v1`, apiKey: owner.token, maxRetries: 0 }
      const messages = [{ role: 'user' as const, content: 'Hello' }]
      const failure = await failureOf(
        new OpenAI(options).chat.completions.create({ model: 'openclaw', messages, stream })
      )
      assert.equal(failure.status, 429)
      assert.equal(failure.headers?.get('retry-after'), '21')
    })
  }
})
