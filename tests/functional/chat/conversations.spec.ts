import { LRUCache } from 'lru-cache'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import type { AgentKey } from '#agents/types'
import { Conversations } from '#chat/conversations'
import { KeptLists } from '#chat/kept_lists'
import type { GatewayHistory } from '#openclaw/gateway_client'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import type { PatchSession } from '#openclaw/session_patch'

const at = new Date('2026-11-23T10:00:00Z')
const said = (role: 'user' | 'assistant', text: string) => ({ id: text, role, text, at })

/** Conversations of each agent, by its gateway's address. */
class RememberingGateway {
  readonly stores = new Map<string, Map<string, GatewayHistory>>()
  readonly labels = new Map<string, string>()
  readonly pinned = new Set<string>()
  readonly models = new Map<string, string | null>()
  broken = false
  /** Times that a session is not found though it is there. */
  overlooked = 0

  store(url: string): Map<string, GatewayHistory> {
    if (this.broken) throw new E_GATEWAY_FAILED()
    const store = this.stores.get(url) ?? new Map()
    this.stores.set(url, store)
    return store
  }

  async sessions(url: string) {
    return [...this.store(url)].map(([key, { messages }]) => ({
      key,
      title: this.labels.get(key) ?? null,
      pinned: this.pinned.has(key),
      model: this.models.get(key) ?? undefined,
      preview: messages.at(-1)?.text ?? null,
      updatedAt: at,
    }))
  }

  async history(
    url: string,
    _token: string,
    key: string,
    _options?: { cursor?: string }
  ): Promise<GatewayHistory | null> {
    if (this.overlooked-- > 0) return null
    return this.store(url).get(key) ?? null
  }

  /** Rejects the name of another session, as OpenClaw does. */
  readonly patch: PatchSession = async (_gateway, key, { label, pinned, model }) => {
    if (model !== undefined) this.models.set(key, model)
    if (label !== undefined) {
      const taken = [...this.labels].some(([other, name]) => other !== key && name === label)
      if (taken) throw new E_GATEWAY_FAILED()
      this.labels.set(key, label)
    }
    if (pinned) this.pinned.add(key)
    if (pinned === false) this.pinned.delete(key)
  }

  async deleteSession(url: string, _token: string, key: string) {
    this.store(url).delete(key)
  }
}

test.group('Conversations', (group) => {
  let gateway: RememberingGateway
  let surface: ReturnType<typeof scriptedSurface>
  let owner: Awaited<ReturnType<typeof userWithToken>>
  let other: Awaited<ReturnType<typeof userWithToken>>

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = new RememberingGateway()
    surface = scriptedSurface({
      gateway,
      patch: gateway.patch,
      models: { 'mosaic-work': ['parrot-1'] },
    })
    surface.waker.wake = async (agent) => ({ url: agent, token: 'token' })
    owner = await userWithToken()
    other = await userWithToken()
    const history = {
      messages: [said('user', 'Where to?'), said('assistant', 'Lisbon.')],
      nextCursor: null,
    }
    const store = gateway.store(`user/${owner.user.id}`)
    store.set('web:mine', history)
    store.set('api:notes', history)
    store.set('main', history)
    store.set('openai:8d1f', history)
    return () => surface.restore()
  })

  test('are listed from the agent, and only those of chats', async ({ client, assert }) => {
    const answer = await client.get('/api/v1/conversations').bearerToken(owner.token)
    answer.assertStatus(200)
    assert.deepEqual(answer.body().data, [
      {
        id: 'mine',
        surface: 'web',
        title: 'Where to?',
        pinned: false,
        preview: 'Lisbon.',
        updatedAt: at.toISOString(),
      },
      {
        id: 'api:notes',
        surface: 'api',
        title: 'Where to?',
        pinned: false,
        preview: 'Lisbon.',
        updatedAt: at.toISOString(),
      },
    ])
    assert.deepEqual(answer.body().meta, { total: 2, page: 1, limit: 50, totalPages: 1 })
    assert.deepEqual(surface.waker.woken, [`user/${owner.user.id}`])
  })

  test('get their title from what was said first, which the agent then keeps', async ({
    client,
    assert,
  }) => {
    const store = gateway.store(`user/${owner.user.id}`)
    const first = `What  is\n${'very '.repeat(20)}long?`
    store.set('web:long', { messages: [said('user', first)], nextCursor: null })
    const family = '👩‍👩‍👧‍👦'
    store.set('web:emoji', { messages: [said('user', family.repeat(9))], nextCursor: null })
    store.set('web:part', { messages: [said('user', 'Not the first')], nextCursor: 'older' })
    const titles = async () => {
      const answer = await client.get('/api/v1/conversations').bearerToken(owner.token)
      const { data } = answer.body() as { data: { id: string; title: string | null }[] }
      return Object.fromEntries(data.map(({ id, title }) => [id, title]))
    }
    const told = await titles()
    assert.deepEqual(told, {
      'mine': 'Where to?',
      'api:notes': 'Where to?',
      'long': 'What is very very very very very very very very very very v…',
      'emoji': `${family.repeat(5)}…`,
      'part': null,
    })
    assert.lengthOf([...gateway.labels.values()], 4)
    assert.deepEqual(await titles(), told)
  })

  test('are listed where the messages of one cannot be read, which has no title then', async ({
    client,
    assert,
  }) => {
    const history = gateway.history.bind(gateway)
    gateway.history = async (url, token, key) => {
      if (key === 'web:mine') throw new E_GATEWAY_FAILED()
      return history(url, token, key)
    }
    const list = () => client.get('/api/v1/conversations').bearerToken(owner.token)
    const answer = await list()
    answer.assertStatus(200)
    const { data } = answer.body() as { data: { title: string | null }[] }
    assert.deepEqual(
      data.map(({ title }) => title),
      [null, 'Where to?']
    )
    gateway.history = async () => {
      throw new DOMException('The client left.', 'AbortError')
    }
    const conversations = await app.container.make(Conversations)
    await assert.rejects(() => conversations.list(`user/${owner.user.id}`), 'The client left.')
  })

  test('are listed by pages', async ({ client, assert }) => {
    const page = (number: number) =>
      client.get('/api/v1/conversations').qs({ page: number, limit: 1 }).bearerToken(owner.token)
    const second = (await page(2)).body()
    assert.deepEqual(
      second.data.map(({ id }: { id: string }) => id),
      ['api:notes']
    )
    assert.deepEqual(second.meta, { total: 2, page: 2, limit: 1, totalPages: 2 })
    const past = (await page(9)).body()
    assert.deepEqual(past.data, [])
    assert.equal(past.meta.total, 2)
  })

  test('have no page where there are none, as any list', async ({ client, assert }) => {
    gateway.store(`user/${owner.user.id}`).clear()
    const answer = await client.get('/api/v1/conversations').bearerToken(owner.token)
    assert.deepEqual(answer.body(), {
      data: [],
      meta: { total: 0, page: 1, limit: 50, totalPages: 0 },
    })
  })

  test('are read with their messages and a title', async ({ client, assert }) => {
    for (const id of ['mine', 'api:notes']) {
      const answer = await client
        .get(`/api/v1/conversations/${encodeURIComponent(id)}`)
        .bearerToken(owner.token)
      answer.assertStatus(200)
      const { data } = answer.body()
      assert.equal(data.id, id)
      assert.equal(data.title, 'Where to?')
      assert.deepEqual(data.messages[1], {
        id: 'Lisbon.',
        role: 'assistant',
        text: 'Lisbon.',
        at: at.toISOString(),
      })
    }
  })

  test('get another title, and a place at the top', async ({ client, assert }) => {
    const change = (id: string, body: object, token = owner.token) =>
      client.patch(`/api/v1/conversations/${id}`).json(body).bearerToken(token)
    const renamed = await change('mine', { title: '  Été à Lisbonne ' })
    renamed.assertStatus(200)
    assert.equal(renamed.body().data.title, 'Été à Lisbonne')
    ;(await change('api:notes', { pinned: true })).assertStatus(200)
    const list = async (query = {}) => {
      const answer = await client.get('/api/v1/conversations').qs(query).bearerToken(owner.token)
      return (answer.body().data as { id: string }[]).map(({ id }) => id)
    }
    assert.deepEqual(await list(), ['api:notes', 'mine'])
    assert.deepEqual(await list({ search: 'ETE' }), ['mine'])
    assert.deepEqual(await list({ search: 'lisbon' }), ['api:notes', 'mine'])
    assert.deepEqual(await list({ search: 'Porto' }), [])
    ;(await change('api:notes', { pinned: false })).assertStatus(200)
    assert.deepEqual(await list(), ['mine', 'api:notes'])

    const taken = await change('api:notes', { title: 'Été à Lisbonne' })
    taken.assertStatus(409)
    assert.equal(taken.body().errors[0].code, 'E_CONVERSATION_TITLE_TAKEN')
    ;(await change('mine', { title: 'Été à Lisbonne' })).assertStatus(200)
    ;(await change('mine', { title: 'x'.repeat(101) })).assertStatus(422)
    for (const id of ['unknown', 'main', 'openai:8d1f']) {
      ;(await change(id, { title: 'Mine' })).assertStatus(404)
    }
    ;(await change('mine', { title: 'Theirs' }, other.token)).assertStatus(404)
  })

  test('are exported whole as Markdown', async ({ client, assert }) => {
    const parts: Record<string, GatewayHistory> = {
      '': { messages: [said('user', 'And then?'), said('assistant', '- Porto')], nextCursor: 'a' },
      'a': {
        messages: [said('user', 'Where to?'), said('assistant', 'Lisbon.')],
        nextCursor: null,
      },
    }
    gateway.history = async (_url, _token, _key, options) => parts[options?.cursor ?? '']
    gateway.labels.set('web:mine', 'A journey')
    const answer = await client
      .get('/api/v1/conversations/mine')
      .qs({ format: 'markdown' })
      .bearerToken(owner.token)
    answer.assertStatus(200)
    answer.assertHeader('content-type', 'text/markdown; charset=utf-8')
    answer.assertHeader('content-disposition', 'attachment; filename="conversation.md"')
    assert.equal(
      answer.text(),
      [
        '# A journey\n',
        '## You, 2026-11-23 10:00 UTC\n\nWhere to?\n',
        '## Agent, 2026-11-23 10:00 UTC\n\nLisbon.\n',
        '## You, 2026-11-23 10:00 UTC\n\nAnd then?\n',
        '## Agent, 2026-11-23 10:00 UTC\n\n- Porto\n',
      ].join('\n')
    )
  })

  test('name the files of an export, and say what is left out', async ({ client, assert }) => {
    const file = '<attachment name="notes.md" type="text/markdown">\n# Hi\n</attachment>'
    const messages = [said('user', `Read\n\n${file}`), said('user', file)]
    gateway.history = async () => ({ messages, nextCursor: 'more' })
    const answer = await client
      .get('/api/v1/conversations/mine')
      .qs({ format: 'markdown' })
      .bearerToken(owner.token)
    const text = answer.text()
    assert.include(text, 'Read\n\n- Attached: notes.md\n')
    assert.include(text, 'UTC\n\n- Attached: notes.md\n')
    assert.include(text, 'Earlier messages are left out')
    assert.notInclude(text, '# Hi')
  })

  test('that begin alike keep equal titles, however many the agent tells apart', async ({
    client,
    assert,
  }) => {
    const store = gateway.store(`user/${owner.user.id}`)
    for (let number = 0; number < 12; number++) {
      store.set(`web:same${number}`, { messages: [said('user', 'Hello')], nextCursor: null })
    }
    store.set('web:other', { messages: [said('user', 'Something else')], nextCursor: null })
    const list = () => client.get('/api/v1/conversations').bearerToken(owner.token)
    await list()
    const { data } = (await list()).body() as { data: { title: string | null }[] }
    const titles = data.map(({ title }) => title)
    const earlier = ['Where to?', 'Where to?']
    assert.sameMembers(titles, [...Array(12).fill('Hello'), 'Something else', ...earlier])
    assert.equal(gateway.labels.size, titles.length)
  })

  test('are deleted', async ({ client }) => {
    const path = '/api/v1/conversations/mine'
    ;(await client.delete(path).bearerToken(owner.token)).assertStatus(204)
    ;(await client.get(path).bearerToken(owner.token)).assertStatus(404)
    ;(await client.delete(path).bearerToken(owner.token)).assertStatus(404)
  })

  test('of someone else, or of nobody, do not exist: {$self}')
    .with(['mine', 'api:notes', 'unknown', 'main', 'openai:8d1f', 'agent:main:web:mine', '..%2Fx'])
    .run(async ({ client, assert }, id) => {
      const path = `/api/v1/conversations/${id}`
      const read = await client.get(path).bearerToken(other.token)
      const deleted = await client.delete(path).bearerToken(other.token)
      read.assertStatus(404)
      deleted.assertStatus(404)
      assert.equal(read.body().errors[0].code, 'E_CONVERSATION_NOT_FOUND')
      assert.equal(gateway.store(`user/${owner.user.id}`).size, 4)
    })

  test("the agent's own sessions are not to be read or deleted by name: {$self}")
    .with(['main', 'openai:8d1f'])
    .run(async ({ client }, id) => {
      const path = `/api/v1/conversations/${id}`
      ;(await client.get(path).bearerToken(owner.token)).assertStatus(404)
      ;(await client.delete(path).bearerToken(owner.token)).assertStatus(404)
    })

  test('are asked for anew where the address that was remembered is dead', async ({
    client,
    assert,
  }) => {
    surface.waker.remembered = { url: 'dead', token: 'token' }
    gateway.broken = true
    surface.waker.wake = async (agent) => {
      gateway.broken = false
      return { url: agent, token: 'token' }
    }
    const answer = await client.get('/api/v1/conversations').bearerToken(owner.token)
    answer.assertStatus(200)
    assert.lengthOf(surface.waker.invalidated, 1)
  })

  test('are read again from an agent that lists them and does not find them', async ({
    client,
  }) => {
    const read = () => client.get('/api/v1/conversations/mine').bearerToken(owner.token)
    gateway.overlooked = 1
    ;(await read()).assertStatus(200)
    gateway.overlooked = 4
    ;(await read()).assertStatus(502)
    gateway.overlooked = 1
    const deleted = await client.delete('/api/v1/conversations/mine').bearerToken(owner.token)
    deleted.assertStatus(204)
  })

  test('cannot be read from an agent that does not answer', async ({ client, assert }) => {
    surface.waker.wake = async () => {
      gateway.broken = true
      return { url: 'x', token: 'token' }
    }
    const answer = await client.get('/api/v1/conversations').bearerToken(owner.token)
    answer.assertStatus(502)
    assert.equal(answer.body().errors[0].code, 'E_GATEWAY_FAILED')
  })

  test('need a sign-in', async ({ client }) => {
    ;(await client.get('/api/v1/conversations')).assertStatus(401)
  })

  test('are told as the agent told them last where it sleeps, and sealed meanwhile', async ({
    assert,
  }) => {
    const ask = async (token: string, query = '') => {
      const answer = await fetch(`${baseUrl()}/api/v1/conversations${query}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      return (await answer.json()) as any
    }
    const none = await ask(owner.token, '?wake=false')
    assert.isEmpty(none.data)
    assert.isEmpty(surface.waker.woken)

    const told = await ask(owner.token)
    const woken = surface.waker.woken.length
    const last = await ask(owner.token, '?wake=false')
    assert.lengthOf(surface.waker.woken, woken)
    assert.deepEqual(
      last.data.map(({ id, title }: any) => [id, title]),
      told.data.map(({ id, title }: any) => [id, title])
    )
    assert.isString(last.meta.asOf)
    const { default: ConversationList } = await import('#models/conversation_list')
    const row = await ConversationList.ownedBy(owner.user.id).firstOrFail()
    assert.match(row.list!, /^enc:/)
    assert.isEmpty((await ask(other.token, '?wake=false')).data)
  })

  test('are stored again where they have changed, which a hash remembers', async ({ assert }) => {
    const { default: ConversationList } = await import('#models/conversation_list')
    const written = new LRUCache<AgentKey, string>({ max: 1 })
    const lists = new KeptLists(written)
    const agent = `user/${owner.user.id}` as const
    const stored = async () => (await ConversationList.ownedBy(owner.user.id).first())?.list
    const one = { id: 'mine', surface: 'web', pinned: false, preview: null, updatedAt: at } as const
    const titled = (title: string) => [{ ...one, title }]

    await lists.keep(agent, titled('x'.repeat(200)))
    const first = await stored()
    await lists.keep(agent, titled('x'.repeat(200)))
    assert.equal(await stored(), first)
    assert.deepEqual(
      [...written.values()].map(({ length }) => length),
      [44]
    )
    await lists.keep(agent, titled('Other'))
    assert.notEqual(await stored(), first)
    await lists.keep(`user/${other.user.id}`, titled('Theirs'))
    assert.deepEqual([...written.keys()], [`user/${other.user.id}`])
  })

  test('take a model of their owner, before they begin as well', async ({ assert }) => {
    const choose = async (id: string, model: string | null) => {
      const answer = await fetch(`${baseUrl()}/api/v1/conversations/${id}`, {
        method: 'PATCH',
        headers: { 'authorization': `Bearer ${owner.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model }),
      })
      return { status: answer.status, ...((await answer.json()) as any) }
    }
    const told = async () => {
      const headers = { authorization: `Bearer ${owner.token}` }
      const answer = await fetch(`${baseUrl()}/api/v1/conversations/mine`, { headers })
      return ((await answer.json()) as any).data.model
    }
    const refused = await choose('mine', 'work/unknown')
    assert.equal(refused.status, 422)
    assert.include(refused.errors[0], { code: 'E_VALIDATION_ERROR', field: 'model' })
    assert.isNull(await told())
    const chosen = await choose('mine', 'work/parrot-1')
    assert.equal(chosen.status, 200)
    assert.equal(chosen.data.model, 'work/parrot-1')
    assert.equal(gateway.models.get('web:mine'), 'mosaic-work/parrot-1')
    assert.equal(await told(), 'work/parrot-1')
    assert.equal((await choose('begins', 'work/parrot-1')).status, 200)
    assert.notProperty((await choose('mine', null)).data, 'model')
    assert.isNull(gateway.models.get('web:mine'))
    assert.equal((await choose('never', null)).status, 404)
  })
})
