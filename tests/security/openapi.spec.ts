import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { describedOperations, openApi, type Operation } from '#tests/security/described_api'
import { Inputs, seeded } from '#tests/security/generated_inputs'
import { hostileBodies, hostileQueries } from '#tests/security/hostile_types'
import { OPERATION_IDS } from '#tests/security/operation_ids'
import { Visitor } from '#tests/visitor'

/** For a long run: `MOSAIC_INPUTS=10000 MOSAIC_SEED=7 npm run test:security -- --files openapi`. */
const COUNT = Number(process.env.MOSAIC_INPUTS ?? 1000)
const SEED = Number(process.env.MOSAIC_SEED ?? 20_261_125)

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
    assert.sameMembers(ids, OPERATION_IDS)
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
    const { properties, patternProperties } = body(byId.get('patch.admin.settings.update')!) as {
      properties: object
      patternProperties: object
    }
    const listed = (await settings.list()).filter(({ changedBy }) => changedBy !== 'operator')
    const patterns = Object.keys(patternProperties).map((pattern) => new RegExp(pattern))
    const keys = listed.map(({ key }) => key)
    assert.sameMembers(
      Object.keys(properties),
      keys.filter((key) => !patterns.some((pattern) => pattern.test(key)))
    )
  })
})

test.group('Generated inputs', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('never lead to an answer of 500, a stack or a query', async ({ assert, cleanup }) => {
    const { operations, ids: made, ask, close } = await openApi()
    cleanup(close)
    const inputs = new Inputs(seeded(SEED))
    const ids = [made.provider, made.other, 'none', '0', '..', '%00', 'a%2fb', '%F0%9F%98%80']
    const wrong: string[] = []
    const seen = new Map<string, number>()
    for (let index = 0; index < COUNT; index++) {
      const operation = inputs.pick(operations)
      const path = operation.path.replace(/\{\w+\}/g, () => inputs.pick(ids))
      const query = new URLSearchParams()
      for (const { name, in: place, schema } of operation.parameters) {
        if (place === 'query' && inputs.chance(0.5)) query.set(name, asText(inputs.value(schema)))
      }
      const { method, requestBody } = operation
      const schema = requestBody?.content['application/json'].schema
      const body = method === 'GET' ? undefined : JSON.stringify(inputs.value(schema ?? {}))
      const answer = await ask(operation, `${path}?${query}`, body, inputs.chance(0.05))

      const family = `${Math.floor(answer.status / 100)}xx`
      seen.set(family, (seen.get(family) ?? 0) + 1)
      if (answer.wrong) wrong.push(answer.wrong)
    }
    assert.deepEqual(wrong, [], `seed ${SEED}`)
    assert.isAbove(seen.get('2xx') ?? 0, COUNT / 20, 'some inputs fit')
    assert.isAbove(seen.get('4xx') ?? 0, COUNT / 20, 'some do not')
  }).timeout(Math.max(60_000, COUNT * 100))

  test('of a type that breaks what takes it for a text lead to none either, at each place', async ({
    assert,
    cleanup,
  }) => {
    const { operations, ids, ask, close } = await openApi()
    cleanup(close)
    const wrong: string[] = []
    for (const operation of operations) {
      const { method, parameters, requestBody } = operation
      const path = operation.path.replace(/\{\w+\}/g, ids.provider)
      const schema = requestBody?.content['application/json'].schema
      const bodies = method === 'GET' ? [] : hostileBodies(schema ?? {})
      for (const body of bodies) {
        const answer = await ask(operation, path, body)
        if (answer.wrong) wrong.push(answer.wrong)
      }
      for (const { name, in: place } of parameters) {
        if (place !== 'query') continue
        for (const query of hostileQueries(name)) {
          const answer = await ask(
            operation,
            `${path}?${query}`,
            method === 'GET' ? undefined : '{}'
          )
          if (answer.wrong) wrong.push(answer.wrong)
        }
      }
    }
    assert.deepEqual(wrong, [])
  }).timeout(240_000)
})

/** Objects cannot be query text, so they are sent as JSON. */
function asText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
