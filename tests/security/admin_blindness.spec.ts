import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import type { RouteJSON } from '@adonisjs/core/types/http'
import router from '@adonisjs/core/services/router'
import testUtils from '@adonisjs/core/services/test_utils'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import UsageDay from '#models/usage_day'
import UserContainer from '#models/user_container'
import settings from '#settings/services/main'
import { Visitor } from '#tests/visitor'

const ORIGIN = `http://${process.env.HOST}:${process.env.PORT}`

/** Marker in everything that belongs to the user, recognisable wherever it appears. */
const CANARY = 'canary7f3a'
const KEY = `sk-${CANARY}-key-0451`
const PERSONALITY = `# ${CANARY}-personality`
const PROMPT = `${CANARY}-prompt`
const ADDRESS = `http://${CANARY}-address.example.org/v1`
const MODEL = `${CANARY}-model`

async function visitorOf(user: Awaited<ReturnType<typeof UserFactory.create>>) {
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(user, { name: `${CANARY}-token-name` })
  const headers = { authorization: `Bearer ${token.value!.release()}` }
  return { headers, visitor: new Visitor({ headers }) }
}

/** A user who has used every feature that could leave a trace. */
async function someone() {
  const user = await UserFactory.create()
  const { visitor } = await visitorOf(user)
  const provider = await LlmProviderFactory.merge({
    userId: user.id,
    type: 'demo',
    name: 'work',
    displayName: `${CANARY}-name`,
    baseUrl: ADDRESS,
    models: [{ id: MODEL, name: MODEL }],
  }).make()
  await provider.seal('apiKey', KEY)
  provider.apiKeyLast4 = KEY.slice(-4)
  await provider.save()

  const personality = { primaryModel: `work/${MODEL}`, personality: PERSONALITY }
  const saved = await visitor.send('PUT', '/api/v1/agent-config', personality)
  if (saved.status !== 200) throw new Error(JSON.stringify(saved.body))

  /** The demo model repeats its input, so the answer contains the canary too. */
  const chat = await visitor.post('/api/v1/chat', { message: PROMPT })
  if (!chat.body.includes(PROMPT)) throw new Error(`No answer: ${JSON.stringify(chat.body)}`)
  await learn(user.id, visitor)
  await visitor.send('PATCH', `/api/v1/providers/${provider.id}`, { displayName: `${CANARY}-2` })
  await visitor.post(`/api/v1/providers/${provider.id}/test`)
  await (await app.container.make('usage.meter')).flush()
  const agent = await UserContainer.findByOrFail('user_id', user.id)
  return { user, agent, provider }
}

/** Gives the user a finding, a memory, a task and an archive. */
async function learn(userId: string, visitor: Visitor) {
  const text = `${CANARY} is known`
  await visitor.post('/api/v1/findings', { title: text, body: text, source: text })
  await visitor.send('PUT', `/api/v1/agent/memory/${CANARY}`, { value: text, namespace: CANARY })
  await visitor.post('/api/v1/tasks', { title: text, body: text, result: text })
  await visitor.send('PUT', '/api/v1/archive', { enabled: true, days: 30 })
  const ingestion = await app.container.make('knowledge.archive_ingestion')
  const at = new Date()
  await ingestion.ingest(userId, {
    list: async () => [{ id: CANARY, title: text, updatedAt: at }],
    read: async () => ({ messages: [{ id: 'm1', role: 'user', text, at }], nextCursor: null }),
  })
  const { body } = await visitor.get(`/api/v1/archive/search?query=${CANARY}`)
  if (body.data.length !== 1) throw new Error('The archive is empty.')
}

const isAdmins = ({ meta }: RouteJSON) => meta.access === 'permitted'

/** Returns the whole response, or the beginning of a stream. */
async function told(method: string, path: string, headers: Record<string, string>) {
  const abort = new AbortController()
  const response = await fetch(`${ORIGIN}${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: method === 'GET' ? undefined : '{}',
    redirect: 'manual',
    signal: abort.signal,
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (!isStream) return { status: response.status, text: await response.text() }
  const { value } = await response.body!.getReader().read()
  abort.abort()
  return { status: response.status, text: new TextDecoder().decode(value) }
}

test.group('An admin', (group) => {
  group.each.setup(async () => {
    const restore = await testUtils.db().truncate()
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    return restore
  })

  test('reads nothing of another user on any route, page or export', async ({ assert }) => {
    const { user, agent, provider } = await someone()
    const admin = await UserFactory.apply('admin').create()
    const { headers } = await visitorOf(admin)
    /** Excludes the admin's id: the admin's own audit events name a token with the canary. */
    const ids = [user.id, agent.id, provider.id]

    const seen: string[] = []
    let answers = 0
    const routes = Object.values(router.toJSON()).flat()
    for (const route of [...routes.filter(isAdmins), { pattern: '/metrics', methods: ['GET'] }]) {
      for (const method of route.methods.filter((name) => name !== 'HEAD')) {
        const paths = route.pattern.includes(':')
          ? ids.map((id) => route.pattern.replace(/:\w+\??/g, id))
          : [route.pattern]
        for (const path of paths) {
          const { status, text } = await told(method, path, headers)
          if (status === 200) answers++
          for (const secret of [KEY, CANARY, PROMPT, 'enc:v1']) {
            if (text.includes(secret)) seen.push(`${method} ${path} tells ${secret}`)
          }
        }
      }
    }
    assert.deepEqual(seen, [])
    assert.isAbove(answers, 15)
    assert.isAbove((await UsageDay.ownedBy(user.id).firstOrFail()).chats, 0)
  }).timeout(120_000)
})
