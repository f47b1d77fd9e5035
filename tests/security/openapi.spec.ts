import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { Conversations } from '#chat/conversations'
import settings from '#settings/services/main'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import { HttpOnlyGatewayClient } from '#tests/doubles/http_only_gateway'
import { Inputs, seeded } from '#tests/security/generated_inputs'
import { Visitor } from '#tests/visitor'

const ORIGIN = `http://${process.env.HOST}:${process.env.PORT}`

/** `MOSAIC_INPUTS=10000 MOSAIC_SEED=7 npm run test:security -- --files openapi` for a long run. */
const COUNT = Number(process.env.MOSAIC_INPUTS ?? 1000)
const SEED = Number(process.env.MOSAIC_SEED ?? 20_261_125)

/** What must stand in no answer: stacks, queries, and what databases and files say of themselves. */
const LEAKS =
  /\n\s+at |node_modules|file:\/\/\/|\bselect\b.*\bfrom\b|insert into|SQLITE_|pg_catalog/i

/** Not inputs of the API: they change what the run itself stands on. */
const LEFT_OUT = new Set(['post.admin.systemAgents.start', 'post.admin.systemAgents.restart'])

interface Operation {
  method: string
  path: string
  operationId: string
  parameters: { name: string; in: string; schema: object }[]
  requestBody?: { content: { 'application/json': { schema: object } } }
  responses: Record<string, object>
}

async function describedOperations(): Promise<Operation[]> {
  const { body } = await new Visitor().get('/api/v1/openapi.json')
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    }))
  )
}

test.group('The description of the API', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('is OpenAPI, and names each operation once', async ({ assert }) => {
    const { status, body } = await new Visitor().get('/api/v1/openapi.json')
    assert.equal(status, 200)
    assert.equal(body.openapi, '3.1.0')
    const operations = await describedOperations()
    assert.isAbove(operations.length, 60)
    const ids = operations.map(({ operationId }) => operationId)
    assert.lengthOf(new Set(ids), ids.length)
    const invite = body.paths['/api/v1/admin/users/invite'].post
    assert.deepEqual(invite.requestBody.content['application/json'].schema.required, ['email'])
    assert.deepEqual(invite.security, [{ session: [] }])
    const stop = body.paths['/api/v1/admin/agents/{id}/stop'].post
    assert.deepEqual(stop.security, [{ accessToken: ['manage'] }, { session: [] }])
  })

  test('tells what a controller takes: each of its validators stands beside a route', async ({
    assert,
  }) => {
    const used = new Set<string>()
    for await (const file of glob('app/controllers/**/*.ts', { cwd: app.makePath() })) {
      const source = readFileSync(app.makePath(file), 'utf8')
      for (const [, name] of source.matchAll(/\b(\w+Validator)\b/g)) used.add(name)
    }
    const declared = new Set<string>()
    for await (const file of glob('start/routes/*.ts', { cwd: app.makePath() })) {
      const source = readFileSync(app.makePath(file), 'utf8')
      for (const [, name] of source.matchAll(/\.(?:takes|asks)\((\w+Validator)\)/g)) {
        declared.add(name)
      }
    }
    assert.isAbove(used.size, 20)
    assert.sameMembers([...declared], [...used])
  })

  test('tells what each operation answers, and what each that writes a body takes', async ({
    assert,
  }) => {
    const body = ({ requestBody }: Operation) => requestBody?.content['application/json'].schema
    const operations = await describedOperations()
    const silent = operations.filter(({ responses }) => Object.keys(responses).length < 2)
    assert.deepEqual(silent, [])
    const byId = new Map(operations.map((operation) => [operation.operationId, operation]))
    assert.containsSubset(body(byId.get('post.openai.complete')!), { required: ['messages'] })
    const { properties } = body(byId.get('patch.admin.settings.update')!) as {
      properties: object
    }
    const listed = (await settings.list()).filter(({ changedBy }) => changedBy !== 'operator')
    assert.sameMembers(
      Object.keys(properties),
      listed.map(({ key }) => key)
    )
  })
})

test.group('Generated inputs', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('never lead to an answer of 500, a stack or a query', async ({ assert, cleanup }) => {
    await settings.set('onboarding.completed', true)
    /** The run itself stands on settings, which are inputs as well. */
    const asBefore = async () => {
      const changed = (await settings.list()).filter(({ source }) => source === 'database')
      for (const { key } of changed) await settings.set(key, null)
      await settings.set('runtime.driver', 'memory')
      await settings.set('limits.requestsPerMinute', 1_000_000)
    }
    await asBefore()
    const conversations = new Conversations(
      await app.container.make('agents.lifecycle'),
      await app.container.make('agents.activity'),
      new HttpOnlyGatewayClient(),
      async () => {}
    )
    app.container.swap(Conversations, () => conversations)
    cleanup(() => app.container.restore(Conversations))
    const admin = await UserFactory.apply('admin').create()
    const other = await UserFactory.create()
    const provider = await LlmProviderFactory.merge({ userId: admin.id, type: 'demo' }).create()
    /** Another that no input names, so that the agent has one whatever becomes of the first. */
    await LlmProviderFactory.merge({ userId: admin.id, type: 'demo' }).create()
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(admin, { name: 'test' })).value!.release()
    const operations = (await describedOperations()).filter(
      ({ operationId }) => !LEFT_OUT.has(operationId)
    )

    const inputs = new Inputs(seeded(SEED))
    const ids = [provider.id, other.id, 'none', '0', '..', '%00', 'a%2fb', '%F0%9F%98%80']
    const wrong: string[] = []
    const seen = new Map<string, number>()
    for (let index = 0; index < COUNT; index++) {
      const operation = inputs.pick(operations)
      const path = operation.path.replace(/\{\w+\}/g, () => inputs.pick(ids))
      const query = new URLSearchParams()
      for (const { name, in: place, schema } of operation.parameters) {
        if (place === 'query' && inputs.chance(0.5)) query.set(name, String(inputs.value(schema)))
      }
      const { method, requestBody } = operation
      const schema = requestBody?.content['application/json'].schema
      const body = method === 'GET' ? undefined : JSON.stringify(inputs.value(schema ?? {}))
      const abort = new AbortController()
      const response = await fetch(`${ORIGIN}${path}?${query}`, {
        method,
        body,
        redirect: 'manual',
        signal: abort.signal,
        headers: {
          'accept': 'application/json',
          'content-type': 'application/json',
          ...(inputs.chance(0.95) && { authorization: `Bearer ${token}` }),
        },
      })
      const streams = response.headers.get('content-type')?.startsWith('text/event-stream')
      const text = streams ? '' : await response.text()
      abort.abort()

      if (operation.operationId === 'patch.admin.settings.update') await asBefore()

      const family = `${Math.floor(response.status / 100)}xx`
      seen.set(family, (seen.get(family) ?? 0) + 1)
      if (response.status >= 500 || LEAKS.test(text)) {
        wrong.push(`${method} ${path}?${query} ${body} → ${response.status} ${text.slice(0, 300)}`)
      }
    }
    assert.deepEqual(wrong, [], `seed ${SEED}`)
    assert.isAbove(seen.get('2xx') ?? 0, COUNT / 20, 'some inputs fit')
    assert.isAbove(seen.get('4xx') ?? 0, COUNT / 20, 'some do not')
  }).timeout(Math.max(60_000, COUNT * 100))
})
