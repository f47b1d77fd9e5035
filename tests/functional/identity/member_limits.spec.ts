import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import LlmProvider from '#models/llm_provider'
import { ModelCatalogue } from '#chat/model_catalogue'
import { ModelListVersions } from '#chat/model_list_versions'
import { UserLimits } from '#identity/user_limits'
import settings from '#settings/services/main'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { until } from '#tests/doubles/test_clock'
import { freshLimits, someone } from '#tests/functional/identity/limited'
import { Visitor } from '#tests/visitor'

const MEGABYTE = 1024 * 1024
const ADMIN = { username: 'admin', password: 'correct horse battery' }

const codeOf = ({ body }: { body: any }) => body.errors?.[0]?.code ?? body.error?.code

/** A provider of about 465 KB: the maximum number of models, each with a long name. */
const large = (index: number) => ({
  type: 'openai',
  name: `large-${index}`,
  apiKey: 'key-of-a-test',
  models: Array.from({ length: 1000 }, (_, at) => ({
    id: `m${at}-${'x'.repeat(200)}`,
    name: 'y'.repeat(220),
  })),
})

const small = (index: number) => ({
  type: 'openai',
  name: `small-${index}`,
  apiKey: 'key-of-a-test',
  models: [{ id: 'gpt-5.4' }],
})

test.group('What one member may have', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(freshLimits)

  test('is so many bytes of models, however many providers they are in', async ({ assert }) => {
    const { user, visitor } = await someone()
    const answers = []
    for (let index = 0; index < 60; index++) {
      answers.push(await visitor.post('/api/v1/providers', large(index)))
    }
    const made = answers.filter(({ status }) => status === 201)
    assert.lengthOf(made, 2)
    const refused = answers.filter(({ status }) => status === 413)
    assert.lengthOf(refused, 58)
    assert.equal(codeOf(refused[0]), 'E_PROVIDERS_TOO_LARGE')
    assert.match(refused[0].body.errors[0].message, /1024 KB/)
    assert.equal(refused[0].body.errors[0].field, 'models')
    assert.isString(refused[0].body.errors[0].hint)

    const rows = await LlmProvider.ownedBy(user.id)
    const bytes = rows.reduce((sum, { models }) => sum + JSON.stringify(models).length, 0)
    assert.isAtMost(bytes, MEGABYTE)
    const path = `/api/v1/providers/${made[0].body.data.id}`
    assert.equal((await visitor.patch(path, { displayName: 'Renamed' })).status, 200)
    await settings.set('limits.providerKb', 16)
    assert.equal((await visitor.patch(path, { models: [{ id: 'fewer' }] })).status, 200)
    assert.equal((await visitor.post('/api/v1/providers', small(1))).status, 413)
  }).timeout(60_000)

  test('is so many providers, also where many are added at once', async ({ assert }) => {
    const { user, visitor } = await someone()
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => visitor.post('/api/v1/providers', small(index)))
    )
    assert.lengthOf(
      answers.filter(({ status }) => status === 201),
      50
    )
    const refused = answers.find(({ status }) => status !== 201)!
    assert.deepEqual([refused.status, codeOf(refused)], [409, 'E_TOO_MANY_PROVIDERS'])
    assert.match(refused.body.errors[0].hint, /Delete one/)
    assert.lengthOf(await LlmProvider.ownedBy(user.id), 50)

    const other = await someone()
    assert.equal((await other.visitor.post('/api/v1/providers', small(1))).status, 201)
  }).timeout(60_000)

  test('is so many access tokens; those that have expired make room', async ({ assert }) => {
    await settings.set('limits.tokens', 5)
    const { user } = await someone()
    const tokens = await app.container.make('identity.tokens')
    const attempts = Array.from({ length: 10 }, () => tokens.create(user, { name: 'more' }))
    const outcomes = await Promise.allSettled(attempts)
    const rows = () => db.from('auth_access_tokens').where('tokenable_id', user.id)
    assert.isAtMost((await rows()).length, 5)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    assert.equal(failed?.reason.code, 'E_TOO_MANY_TOKENS')
    assert.equal(failed?.reason.status, 409)

    while ((await rows()).length < 5) await tokens.create(user, { name: 'more' })
    await assert.rejects(() => tokens.create(user, { name: 'beyond' }), /You have 5 access tokens/)
    await rows().limit(1)
    const [{ id }] = await rows().orderBy('id').limit(1)
    await db
      .from('auth_access_tokens')
      .where('id', id)
      .update({ expires_at: new Date(Date.now() - 60_000) })
    await tokens.create(user, { name: 'in its place' })
    assert.lengthOf(await rows(), 5)
  })

  test('is so many sessions: the one used longest ago ends', async ({ assert }) => {
    await settings.set('limits.sessions', 3)
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ADMIN)
    const visitors = []
    for (let signIns = 0; signIns < 5; signIns++) {
      const visitor = new Visitor()
      assert.equal((await visitor.post('/api/v1/session', ADMIN)).status, 201)
      visitors.push(visitor)
      const old = new Date(Date.now() + 3_600_000 * (signIns + 1))
      const newest = db.from('sessions').whereNotNull('user_id').where('expires_at', '>', future())
      await newest.update({ expires_at: old })
    }
    const statuses = []
    for (const visitor of visitors) statuses.push((await visitor.get('/api/v1/me')).status)
    assert.deepEqual(statuses, [401, 401, 200, 200, 200])
  })

  /** Later than any session, even those that a test has backdated. */
  const future = () => new Date(Date.now() + 24 * 3_600_000)

  test('is so many changes a minute; looking and chatting go on', async ({ assert }) => {
    await settings.set('limits.changesPerMinute', 10)
    const { visitor } = await someone()
    for (let changes = 0; changes < 10; changes++) {
      const wishes = { personality: `Be brief, ${changes}.` }
      assert.equal((await visitor.send('PUT', '/api/v1/agent-config', wishes)).status, 200)
    }
    const refused = await visitor.post('/api/v1/providers', small(1))
    assert.deepEqual([refused.status, codeOf(refused)], [429, 'E_TOO_MANY_REQUESTS'])
    assert.isNotNull(refused.headers.get('retry-after'))
    assert.equal((await visitor.get('/api/v1/agent-config')).status, 200)
    assert.equal((await visitor.post('/api/v1/agent/keep-awake')).status, 202)
  })
})

test.group('The list of models', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  /** Counts accesses to the real documents, behind a clock that the test controls. */
  async function counted() {
    const { user, token } = await userWithToken()
    const providers = await app.container.make('settings.providers')
    const actor = { user, address: null }
    const [first] = [
      await providers.create(actor, large(1)),
      await providers.create(actor, large(2)),
    ]
    const documents = await app.container.make('openclaw.documents')
    const clock = { now: Date.now() + 60_000 }
    const work = { assembled: 0, looked: 0 }
    const versions = new ModelListVersions(() => clock.now)
    const catalogue = new ModelCatalogue(
      {
        forAgent: (agent) => {
          work.assembled++
          return documents.forAgent(agent)
        },
      },
      {
        of: (agent) => {
          work.looked++
          return versions.of(agent)
        },
      },
      () => clock.now
    )
    return { user, token, actor, providers, first, catalogue, clock, work }
  }

  test('is made once per change, and asked for without a query while it is warm', async ({
    assert,
  }) => {
    const { user, actor, providers, first, catalogue, clock, work } = await counted()
    const list = () => catalogue.list(`user/${user.id}`)
    const answers = await Promise.all(Array.from({ length: 8 }, list))
    assert.equal(work.assembled, 1)
    assert.isTrue(answers.every((answer) => answer === answers[0]))
    assert.lengthOf(JSON.parse(answers[0]).data, 2001)

    const looked = work.looked
    for (let asked = 0; asked < 100; asked++) await list()
    assert.deepEqual(work, { assembled: 1, looked })

    clock.now += 2000
    await list()
    assert.deepEqual(work, { assembled: 1, looked: looked + 1 })

    await providers.update(actor, first.id, { models: [{ id: 'only' }] })
    catalogue.forget(`user/${user.id}`)
    assert.lengthOf(JSON.parse(await list()).data, 1002)
    assert.equal(work.assembled, 2)
  }).timeout(30_000)

  test('follows a change of another replica, which tells nobody here', async ({ assert }) => {
    const { user, first, catalogue, clock } = await counted()
    clock.now = Date.now()
    const count = async () => JSON.parse(await catalogue.list(`user/${user.id}`)).data.length
    assert.equal(await count(), 2001)
    await first.merge({ models: [{ id: 'only', name: 'Only' }] }).save()
    clock.now += 2000
    assert.equal(await count(), 1002)
    await first.delete()
    clock.now += 2000
    assert.equal(await count(), 1001)
  }).timeout(30_000)

  test('is what the route answers, and follows its owner’s change at once', async ({ assert }) => {
    await settings.set('onboarding.completed', true)
    const { token, user } = await userWithToken()
    const visitor = new Visitor({ headers: { authorization: `Bearer ${token}` } })
    const ids = async () =>
      (await visitor.get('/v1/models')).body.data.map(({ id }: { id: string }) => id)
    assert.deepEqual(await ids(), ['openclaw'])
    const made = await visitor.post('/api/v1/providers', small(1))
    assert.deepEqual(await ids(), ['openclaw', 'small-1/gpt-5.4'])
    await visitor.delete(`/api/v1/providers/${made.body.data.id}`)
    assert.deepEqual(await ids(), ['openclaw'])
    assert.isString(user.id)
  })
})

test.group('Bodies that are held', (group) => {
  let limits: UserLimits

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    const present = await app.container.make('identity.limits')
    limits = new UserLimits(settings)
    app.container.bindValue('identity.limits', limits)
    return () => app.container.bindValue('identity.limits', present)
  })

  /** A gateway that answers only when released. */
  async function heldUp() {
    const gateway = await new ScriptedGateway().start()
    const surface = scriptedSurface()
    surface.waker.remembered = gateway.access
    const rest = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      await rest.promise
      reply.json(200, { id: 'one', object: 'chat.completion', choices: [] })
    }
    const close = async () => {
      rest.resolve()
      await surface.restore()
      await gateway.stop()
    }
    return { gateway, rest, close }
  }

  const ask = (
    token: string,
    body: string | ReadableStream,
    headers: Record<string, string> = {}
  ) =>
    fetch(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...headers },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit)

  /**
   * Forty bodies of 9 MB by one user, a tenth of the total limit: all of them take a busy machine a minute.
   */
  test('are so many bytes of one user, and all are given back', async ({ assert, cleanup }) => {
    const { rest, close } = await heldUp()
    cleanup(close)
    const { token } = await userWithToken()
    await settings.set('limits.bodyMb', 10)
    const content = 'x'.repeat(0.9 * MEGABYTE)
    const body = JSON.stringify({ messages: [{ role: 'user', content }] })
    const statuses: number[] = []
    let most = 0
    const asked = Array.from({ length: 40 }, async () => {
      const answer = await ask(token, body)
      statuses.push(answer.status)
      most = Math.max(most, limits.heldBytes)
      await answer.text()
      if (answer.status === 429) assert.isNotNull(answer.headers.get('retry-after'))
    })
    await until(async () => statuses.length >= 29)
    assert.isAtMost(most, 10 * MEGABYTE)
    assert.isTrue(statuses.every((status) => status === 429))

    const { token: another } = await userWithToken()
    const other = ask(another, JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }))
    rest.resolve()
    await Promise.all(asked)
    assert.equal((await other).status, 200)
    assert.isAtLeast(statuses.filter((status) => status === 200).length, 1)
    await until(async () => limits.heldBytes === 0)
  }).timeout(60_000)

  test('are so many bytes of all', async ({ assert, cleanup }) => {
    await settings.set('limits.bodiesMb', 10)
    const { rest, close } = await heldUp()
    cleanup(close)
    const body = JSON.stringify({
      messages: [{ role: 'user', content: 'x'.repeat(6 * MEGABYTE) }],
    })
    const [first, second] = [await userWithToken(), await userWithToken()]
    const held = ask(first.token, body)
    await until(async () => limits.heldBytes > 6 * MEGABYTE)
    const refused = await ask(second.token, body)
    assert.equal(refused.status, 503)
    assert.isNotNull(refused.headers.get('retry-after'))
    rest.resolve()
    assert.equal((await held).status, 200)
  })

  test('must arrive in time', async ({ assert, cleanup }) => {
    const { close } = await heldUp()
    cleanup(close)
    const { token } = await userWithToken()
    const brief = { get: async (key: string) => (key === 'limits.uploadSec' ? 0.05 : 1000) }
    limits = new UserLimits(brief as typeof settings)
    app.container.bindValue('identity.limits', limits)
    const never = new ReadableStream({ start: (sink) => sink.enqueue(Buffer.from('{"messages":')) })
    const slow = await ask(token, never).catch((error: unknown) => error)
    if (slow instanceof Response) {
      assert.equal(slow.status, 408)
      assert.equal(((await slow.json()) as any).error.code, 'E_CHAT_TOO_SLOW')
    }
    await until(async () => limits.heldBytes === 0)
  })
})
