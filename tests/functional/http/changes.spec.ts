import { test } from '@japa/runner'
import router from '@adonisjs/core/services/router'
import type { RouteJSON } from '@adonisjs/core/types/http'
import testUtils from '@adonisjs/core/services/test_utils'
import { adminSession } from '#tests/admin_session'
import { twoCallers } from '#tests/functional/knowledge/people'

interface Validator {
  toJSONSchema(): { properties: Record<string, { type?: string | string[]; enum?: unknown[] }> }
  validate(data: object): Promise<object>
}

/** Yields one change for each field of a route's body, and whether that field may be empty. */
function* emptiedFields({ pattern, meta }: RouteJSON) {
  const validator: Validator = meta.body
  for (const [field, { type }] of Object.entries(validator.toJSONSchema().properties)) {
    yield {
      at: `${pattern} ${field}`,
      field,
      validator,
      mayBeEmpty: [type].flat().includes('null'),
    }
  }
}

test.group('A change', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('with nothing for a field that cannot be emptied is refused, on every route', async ({
    assert,
  }) => {
    const routes = Object.values(router.toJSON())
      .flat()
      .filter(({ methods, meta }) => methods.includes('PATCH') && 'validate' in meta.body)
    assert.isAtLeast(routes.length, 8)
    for (const { at, field, validator, mayBeEmpty } of routes.flatMap((route) => [
      ...emptiedFields(route),
    ])) {
      const refused = await validator.validate({ [field]: null }).then(
        () => [],
        ({ messages }) => messages.map((wrong: { field: string }) => wrong.field)
      )
      assert.equal(refused.includes(field), !mayBeEmpty, at)
    }
  })

  test('of a task keeps its title from "" and null, and takes them for its body', async ({
    assert,
  }) => {
    const [{ visitor }] = await twoCallers()
    const made = await visitor.post('/api/v1/tasks', { title: 'Water the plants', body: 'All' })
    const path = `/api/v1/tasks/${made.body.data.id}`
    for (const title of ['', null]) {
      const { status, body } = await visitor.patch(path, { title })
      assert.deepEqual(
        [status, body.errors?.[0].code, body.errors?.[0].field],
        [422, 'E_VALIDATION_ERROR', 'title']
      )
    }
    const emptied = await visitor.patch(path, { body: '' })
    assert.deepEqual([emptied.status, emptied.body.data.body], [200, null])
    assert.equal(emptied.body.data.title, 'Water the plants')
  })

  test('of another type than JSON is refused, on every route of the API', async ({ assert }) => {
    const { visitor } = await adminSession()
    const routes = Object.values(router.toJSON())
      .flat()
      .filter(({ pattern, meta }) => pattern.startsWith('/api/v1/') && meta.body)
      .filter(({ pattern }) => !pattern.includes('/onboarding/'))
    assert.isAtLeast(routes.length, 30)
    for (const { methods, pattern } of routes) {
      const headers = { 'content-type': 'text/plain' }
      const path = pattern.replaceAll(/:\w+/g, 'x')
      const { status } = await visitor.send(methods[0], path, '{"name":"x"}', headers)
      assert.equal(status, 415, pattern)
    }
    /** What curl sends where no type is named, and what is almost JSON. */
    for (const type of ['application/x-www-form-urlencoded', 'application/merge-patch+json']) {
      const headers = { 'content-type': type }
      const { status, body } = await visitor.send('PUT', '/api/v1/agent-config', '{}', headers)
      assert.deepEqual([status, body.errors[0].code], [415, 'E_JSON_ONLY'], type)
    }
  })
})
