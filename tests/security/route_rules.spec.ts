import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { Server } from '@adonisjs/core/http'
import db from '@adonisjs/lucid/services/db'
import type { RouteJSON } from '@adonisjs/core/types/http'
import router from '@adonisjs/core/services/router'
import testUtils from '@adonisjs/core/services/test_utils'
import type User from '#models/user'
import settings from '#settings/services/main'
import { internalRoutes } from '#start/internal_routes'
import { isApiPath } from '#exceptions/answer_form'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import { knowledgeTokenOf } from '#models/with_lifecycle'
import { ACCESS_RULES, abilityFor, type AccessRule } from '#identity/access_rules'
import { PERMISSIONS, proofFor } from '#identity/permissions'
import { Sessions } from '#identity/sessions'
import { TOKEN_ABILITIES, type TokenAbility } from '#identity/access_tokens'
import { UserFactory } from '#database/factories/user_factory'
import { Uploads } from '#chat/uploads'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { agentTokens } from '#openclaw/services/main'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'
import { chatByHttp } from '#tests/doubles/http_only_gateway'
import { Visitor } from '#tests/visitor'

const ORIGIN = `http://${process.env.HOST}:${process.env.PORT}`

const ACCOUNT = { username: 'admin', password: 'correct horse battery' }

/** Middleware that enforces each access rule on the public listener. */
const ENFORCERS: Partial<Record<AccessRule, string>> = {
  onboarding: 'access',
  onboardingAdmin: 'access',
  signedIn: 'access',
  permitted: 'access',
  token: 'tokenAuth',
}

const ACTORS = [
  'nobody',
  'member',
  'other',
  'admin',
  'deactivated',
  'expired',
  /** An admin's access token with every ability except the one that the route requires. */
  'unable',
  /** The gateway token of a member's agent. */
  'agent',
  /** The knowledge token of a member's agent. */
  'knowledge',
] as const
type Actor = (typeof ACTORS)[number]

type Outcome = 'allowed' | 'not signed in' | 'not allowed' | 'gone'

/** Expected outcome of each rule after the onboarding. */
const EXPECTED: Record<Exclude<AccessRule, 'agent'>, Record<Actor, Outcome>> = {
  anyone: outcomes({ unable: 'allowed' }),
  onboarding: outcomes({ rest: 'gone', unable: 'gone' }),
  onboardingAdmin: outcomes({ rest: 'gone', unable: 'gone' }),
  signedIn: outcomes({ nobody: 'not signed in' }),
  permitted: outcomes({ nobody: 'not signed in', member: 'not allowed', other: 'not allowed' }),
  token: outcomes({ nobody: 'not signed in' }),
}

/** For routes that create or extend credentials: no access token, whoever owns it. */
const EXPECTED_OF_FRESH_SESSIONS = outcomes({ rest: 'not allowed', nobody: 'not signed in' })

/** Open to local programs, and to users only if they are admins; its controller decides. */
const EXPECTED_OF_METRICS = outcomes({ member: 'not allowed', other: 'not allowed' })

function outcomes(given: Partial<Record<Actor | 'rest', Outcome>>): Record<Actor, Outcome> {
  const rest = given.rest ?? 'allowed'
  return {
    nobody: given.nobody ?? rest,
    member: given.member ?? rest,
    other: given.other ?? rest,
    admin: given.admin ?? rest,
    unable: given.unable ?? 'not allowed',
    /** Invalid access tokens are refused before any rule is evaluated. */
    deactivated: 'not signed in',
    expired: 'not signed in',
    agent: 'not signed in',
    knowledge: 'not signed in',
  }
}

function expectedOf({ pattern, meta }: RouteJSON): Record<Actor, Outcome> {
  if (pattern === '/metrics') return EXPECTED_OF_METRICS
  if (meta.access === 'permitted' && needsFreshSession(meta)) return EXPECTED_OF_FRESH_SESSIONS
  return EXPECTED[meta.access as keyof typeof EXPECTED]
}

const needsFreshSession = ({ permission }: RouteJSON['meta']) =>
  permission !== undefined && proofFor(permission) === 'freshSession'

const publicRoutes = (): RouteJSON[] => Object.values(router.toJSON()).flat()

async function internalRouteList(): Promise<RouteJSON[]> {
  const { container, config } = app
  const server = new Server(
    app,
    (await container.make('encryption')).use(),
    await container.make('emitter'),
    await container.make('logger'),
    config.get('app.http')
  )
  internalRoutes(server.getRouter())
  server.getRouter().commit()
  return Object.values(server.getRouter().toJSON()).flat()
}

function stackOf(route: RouteJSON): string[] {
  return [...route.middleware.all()].map((entry) => ('name' in entry ? String(entry.name) : ''))
}

const pathOf = ({ pattern }: RouteJSON) =>
  pattern.replace(/\/:\w+\?/g, '').replace(/:\w+|\*/g, 'none')

const named = (route: RouteJSON, method: string) => `${method} ${route.pattern}`

/** Returns the status and error code without waiting for a stream to end. */
async function call(method: string, path: string, headers: Record<string, string>, body?: string) {
  const abort = new AbortController()
  const response = await fetch(`${ORIGIN}${path}`, {
    method,
    body,
    headers,
    redirect: 'manual',
    signal: abort.signal,
  })
  const { status } = response
  const location = response.headers.get('location')
  const text = status >= 400 ? await response.text() : ''
  abort.abort()
  return { status, location, text }
}

function outcomeOf(
  { meta }: RouteJSON,
  { status, location, text }: Awaited<ReturnType<typeof call>>
): Outcome | string {
  const leadsToLogin = location === '/login' && meta.access !== 'anyone'
  if (status === 401 || leadsToLogin) return 'not signed in'
  if (status === 403) return text.includes('BAD_CSRF') ? 'no CSRF token' : 'not allowed'
  if (status === 404 && meta.access.startsWith('onboarding')) return 'gone'
  if (status >= 500 && status !== 503) return `failed with ${status}: ${text.slice(0, 200)}`
  return 'allowed'
}

/** Returns what a signed-out browser sends: the session and XSRF cookies of its first page. */
async function asNobody(): Promise<Record<string, string>> {
  const browser = new Visitor()
  await browser.get('/api/v1/onboarding')
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return { cookie, 'x-xsrf-token': browser.cookies.get('XSRF-TOKEN')! }
}

async function tokenOf(user: User, abilities?: TokenAbility[]) {
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(user, { name: 'test', abilities })
  return { id: String(token.identifier), value: token.value!.release() }
}

test.group('Every route', () => {
  test('of the public listener declares who may call it', async ({ assert }) => {
    const without = publicRoutes().filter(({ meta }) => !ACCESS_RULES.includes(meta.access))
    assert.deepEqual(
      without.map(({ pattern }) => pattern),
      []
    )
  })

  test('of the public listener has its rule enforced by its stack', async ({ assert }) => {
    for (const route of publicRoutes()) {
      const enforcer = ENFORCERS[route.meta.access as AccessRule]
      if (enforcer) assert.include(stackOf(route), enforcer, route.pattern)
      assert.notEqual(route.meta.access, 'agent', `${route.pattern} is for the internal listener`)
    }
  })

  test('of the internal listener is for agents alone', async ({ assert }) => {
    const routes = await internalRouteList()
    assert.isAbove(routes.length, 0)
    for (const { meta, pattern } of routes) assert.equal(meta.access, 'agent', pattern)
  })

  test('names a permission where its rule asks for one, and nowhere else', ({ assert }) => {
    const naming = publicRoutes().filter(({ meta }) => meta.permission !== undefined)
    const asked = publicRoutes().filter(({ meta }) => meta.access === 'permitted')
    assert.isAbove(asked.length, 30)
    const others = naming.filter((route) => !asked.includes(route))
    assert.lengthOf(naming, asked.length + others.length)
    for (const { meta, pattern } of others) assert.equal(meta.access, 'onboardingAdmin', pattern)
    const used = new Set(naming.map(({ meta }) => meta.permission))
    assert.sameMembers([...used], [...PERMISSIONS], 'each is asked for somewhere')
  })

  test('keeps its CSRF check, but for the two that carry a proof of their own', ({ assert }) => {
    const without = publicRoutes().filter(({ meta }) => meta.csrf === false)
    assert.sameMembers(
      without.map(({ pattern }) => pattern),
      ['/api/v1/onboarding/breakglass', '/api/v1/session']
    )
  })
})

test.group('Who gets past the rule', (group) => {
  const tokens: Partial<Record<Actor, string>> = {}
  /** Tokens by the ability that they lack. */
  const unable = {} as Record<TokenAbility, string>

  group.setup(async () => {
    const rollback = await testUtils.db().wrapInGlobalTransaction()
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    const [member, other, gone, late] = await UserFactory.createMany(4)
    const admin = await UserFactory.apply('admin').create()
    const expired = await tokenOf(late)
    Object.assign(tokens, {
      member: (await tokenOf(member)).value,
      other: (await tokenOf(other)).value,
      admin: (await tokenOf(admin)).value,
      deactivated: (await tokenOf(gone)).value,
      expired: expired.value,
    })
    const agent = new UserContainer()
    await agent.merge({ userId: member.id, containerName: 'mosaic-user-of-the-matrix' })
    await agent.renewGatewayToken()
    await agent.save()
    tokens.agent = (await agent.open('gatewayToken'))!
    tokens.knowledge = knowledgeTokenOf(tokens.agent)
    for (const lacking of TOKEN_ABILITIES) {
      const others = TOKEN_ABILITIES.filter((one) => one !== lacking)
      unable[lacking] = (await tokenOf(admin, others)).value
    }
    await gone.merge({ deactivatedAt: DateTime.utc() }).save()
    const past = new Date(Date.now() - 1000)
    await db.from('auth_access_tokens').where('id', expired.id).update({ expires_at: past })
    return rollback
  })

  for (const actor of ACTORS) {
    test(`as ${actor}, of every route and method`, async ({ assert }) => {
      const wrong: string[] = []
      for (const route of publicRoutes()) {
        const rule = route.meta.access as keyof typeof EXPECTED
        /** Covered by the tests above, or open to anyone with any credentials. */
        if (!rule || (rule === 'anyone' && !stackOf(route).includes('access'))) continue

        for (const method of route.methods.filter((name) => name !== 'HEAD')) {
          const page = !isApiPath(route.pattern)
          const token = actor === 'unable' ? unable[abilityFor(route.meta, method)] : tokens[actor]
          const proof = actor === 'nobody' ? await asNobody() : { authorization: `Bearer ${token}` }
          const headers = { ...proof, accept: page ? 'text/html' : 'application/json' }
          const body = method === 'GET' ? undefined : '{}'
          const answer = await call(
            method,
            pathOf(route),
            body ? { ...headers, 'content-type': 'application/json' } : headers,
            body
          )
          const outcome = outcomeOf(route, answer)
          const expected = expectedOf(route)[actor]
          if (outcome !== expected) {
            wrong.push(`${named(route, method)}: ${outcome}, not ${expected}`)
          }
        }
      }
      assert.deepEqual(wrong, [])
    }).timeout(60_000)
  }

  test('without cookies, as a program calls, is told the same as nobody', async ({ assert }) => {
    const wrong: string[] = []
    for (const route of publicRoutes()) {
      if (!isApiPath(route.pattern) || route.meta.access === 'anyone') continue
      for (const method of route.methods.filter((name) => name !== 'HEAD')) {
        const headers = { 'accept': 'application/json', 'content-type': 'application/json' }
        const body = method === 'GET' ? undefined : '{}'
        const outcome = outcomeOf(route, await call(method, pathOf(route), headers, body))
        const expected = expectedOf(route).nobody
        if (outcome !== expected) wrong.push(`${named(route, method)}: ${outcome}, not ${expected}`)
      }
    }
    assert.deepEqual(wrong, [])
  }).timeout(60_000)
})

test.group("An agent's tokens", (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('open the routes of the internal listener that are theirs, and no other', async ({
    assert,
  }) => {
    agentTokens.clear()
    const { user, container, token: gateway } = await agentOfSomeone()
    const config = { userId: user.id, fallbackModels: [], profile: 'full', knowledge: 'write' }
    await UserAgentConfig.create(config as Partial<UserAgentConfig>)
    const provider = await providerOf(user.id, { baseUrl: 'http://127.0.0.1:9' })
    const other = await agentOfSomeone()
    const callers: Record<string, string | null> = {
      'nobody': null,
      'the owner': (await tokenOf(user)).value,
      'gateway': gateway,
      'knowledge': knowledgeTokenOf(gateway),
      "gateway of another's agent": other.token,
      "knowledge of another's agent": knowledgeTokenOf(other.token),
    }
    const parameters: Record<string, string> = {
      ':containerType': 'user',
      ':id': container.userId,
      ':providerId': provider.id,
      '*': 'chat/completions',
    }
    const ofKnowledge = /\/mcp$/
    const wrong: string[] = []
    for (const route of await internalRouteList()) {
      const path = route.pattern.replace(/:\w+|\*/g, (name) => parameters[name])
      const opens = ofKnowledge.test(route.pattern) ? 'knowledge' : 'gateway'
      for (const method of route.methods.filter((name) => name !== 'HEAD')) {
        for (const [caller, token] of Object.entries(callers)) {
          /** Their own knowledge is all that it opens. */
          if (opens === 'knowledge' && caller.startsWith('knowledge of')) continue
          const { status } = await fetch(`${internalUrl()}${path}`, {
            method,
            headers: {
              'content-type': 'application/json',
              ...(token && { authorization: `Bearer ${token}` }),
            },
            body: method === 'GET' ? undefined : '{"jsonrpc":"2.0","id":1,"method":"ping"}',
          })
          if ((status !== 401) !== (caller === opens)) {
            wrong.push(`${named(route, method)} as ${caller}: ${status}`)
          }
        }
      }
    }
    assert.deepEqual(wrong, [])
  })
})

test.group('A sensitive act', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('needs a session that was confirmed a short while ago, on every route that says so', async ({
    assert,
    cleanup,
  }) => {
    await settings.set('onboarding.completed', true)
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ACCOUNT)
    const visitor = new Visitor()
    await visitor.post('/api/v1/session', ACCOUNT)

    const present = await app.container.make('identity.sessions')
    const audit = await app.container.make('audit')
    const later = new Sessions(audit, settings, () => Date.now() + 16 * 60_000)
    app.container.bindValue('identity.sessions', later)
    cleanup(() => app.container.bindValue('identity.sessions', present))

    const sensitive = publicRoutes().filter(
      ({ meta }) => meta.access !== 'onboardingAdmin' && (meta.confirmed || needsFreshSession(meta))
    )
    assert.isAbove(sensitive.length, 8)
    const refused = async () => {
      const found: string[] = []
      for (const route of sensitive) {
        const method = route.methods.find((name) => name !== 'HEAD')!
        const body = method === 'GET' ? undefined : {}
        const answer = await visitor.send(method, pathOf(route), body)
        const code = answer.body?.errors?.[0]?.code
        if (code === 'E_CONFIRMATION_NEEDED') found.push(route.pattern)
      }
      return found
    }
    assert.lengthOf(await refused(), sensitive.length)
    const wrong = await visitor.post('/api/v1/session/confirm', { password: 'something else' })
    assert.equal(wrong.status, 401)
    assert.lengthOf(await refused(), sensitive.length)
    const { password } = ACCOUNT
    assert.equal((await visitor.post('/api/v1/session/confirm', { password })).status, 204)
    assert.lengthOf(await refused(), 0)
  })
})

/** Routes that act on the caller's own data, whose names may coincide with another user's. */
const OF_OWN_THINGS: Record<string, number> = {
  'PUT /api/v1/agent/memory/:key': 422,
  /** Cancels the run of the caller's own agent; no run is a success. */
  'DELETE /api/v1/conversations/:id/run': 204,
}

/** Valid inputs, without which validation would respond before any lookup. */
const VALID: Record<string, { query?: string; body?: string }> = {
  '/api/v1/conversations/:id/picture': { query: '?path=/tmp/theirs.png' },
  '/api/v1/conversations/:id/approvals/:approval': { body: '{"decision":"deny"}' },
}

test.group("A user's token on what belongs to someone else", (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  async function sessionOfAnAdmin(): Promise<string> {
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ACCOUNT)
    const visitor = new Visitor()
    await visitor.post('/api/v1/session', ACCOUNT)
    return (await visitor.get('/api/v1/sessions')).body.data[0].id
  }

  /** Fills each route parameter with an id of the other user's data. */
  async function othersThings(owner: User): Promise<Record<string, string>> {
    const provider = await LlmProviderFactory.merge({ userId: owner.id }).create()
    const findings = await app.container.make('knowledge.findings')
    const finding = await findings.create(owner.id, 'person', { title: 'One', body: 'of theirs' })
    const tasks = await app.container.make('knowledge.tasks')
    const task = await tasks.create(owner.id, 'person', { title: 'Theirs to do' })
    const memories = await app.container.make('knowledge.memories')
    await memories.put(owner.id, { key: 'theirs' }, { value: 1 })
    const uploads = await app.container.make(Uploads)
    const data = Buffer.from('theirs').toString('base64')
    const upload = await uploads.add(owner.id, { name: 'theirs.txt', type: 'text/plain', data })
    return {
      '/api/v1/providers/:id': provider.id,
      '/api/v1/providers/:id/test': provider.id,
      '/api/v1/tokens/:id': (await tokenOf(owner)).id,
      '/api/v1/sessions/:id': await sessionOfAnAdmin(),
      '/api/v1/conversations/:id': 'agent:main:main',
      '/api/v1/conversations/:id/run': 'agent:main:main',
      '/api/v1/conversations/:id/picture': 'agent:main:main',
      '/api/v1/conversations/:id/approvals/:approval': 'agent:main:main',
      '/api/v1/uploads/:id': upload.id,
      '/api/v1/findings/:id': finding.id,
      '/api/v1/agent/memory/:key': 'theirs',
      '/api/v1/tasks/:id': task.id,
      '/api/v1/archive/:id': 'none',
      '/api/v1/tasks/:id/claim': task.id,
    }
  }

  test('finds nothing, on every route that names a thing', async ({ assert, cleanup }) => {
    cleanup(await chatByHttp())
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    const [owner, stranger] = await UserFactory.createMany(2)
    const things = await othersThings(owner)
    const { value } = await tokenOf(stranger)
    /** Conversations are requested from the stranger's own agent, which must be able to wake. */
    await LlmProviderFactory.merge({ userId: stranger.id, type: 'demo' }).create()

    for (const route of publicRoutes()) {
      const ownThing = route.meta.access === 'signedIn' && isApiPath(route.pattern)
      if (!ownThing || !route.pattern.includes(':')) continue

      const thing = things[route.pattern]
      assert.isDefined(thing, `say here what ${route.pattern} is called with`)
      const { query = '', body = '{}' } = VALID[route.pattern] ?? {}
      for (const method of route.methods.filter((name) => name !== 'HEAD')) {
        const path = route.pattern.replaceAll(/:\w+/g, encodeURIComponent(thing)) + query
        const headers = { 'authorization': `Bearer ${value}`, 'content-type': 'application/json' }
        const { status } = await call(method, path, headers, method === 'GET' ? undefined : body)
        const name = named(route, method)
        assert.equal(status, OF_OWN_THINGS[name] ?? 404, name)
      }
    }
    assert.lengthOf(await db.from('llm_providers').where('user_id', owner.id), 1)
    assert.lengthOf(await db.from('auth_access_tokens').where('tokenable_id', owner.id), 1)
  })
})
