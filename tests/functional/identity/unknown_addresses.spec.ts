import { test } from '@japa/runner'
import { Visitor } from '#tests/visitor'

test.group('Unknown addresses', () => {
  test('answer the API shape under /api', async ({ client }) => {
    const response = await client.get('/api/v1/nothing-here')
    response.assertStatus(404)
    response.assertBody({
      errors: [{ code: 'E_ROUTE_NOT_FOUND', message: 'There is nothing at this address.' }],
    })
  })

  test("answer OpenAI's shape under /v1", async ({ client }) => {
    const response = await client.get('/v1/nothing-here')
    response.assertStatus(404)
    response.assertBodyContains({ error: { type: 'not_found_error', param: null } })
  })

  test('that cannot be decoded answer in the shape of their path', async ({ assert }) => {
    const visitor = new Visitor()
    const api = await visitor.get('/api/v1/providers/%E0%A4%A?page=1')
    assert.deepEqual([api.status, api.body.errors[0].code], [400, 'E_BAD_REQUEST'])
    assert.equal(api.headers.get('x-content-type-options'), 'nosniff')
    const openai = await visitor.get('/v1/models/%ff')
    assert.deepEqual([openai.status, openai.body.error.type], [400, 'invalid_request_error'])
    const anthropic = await visitor.get('/v1/messages/%ff')
    assert.deepEqual([anthropic.status, anthropic.body.type], [400, 'error'])
    const page = await visitor.get('/docs/%ff')
    assert.deepEqual([page.status, page.body], [400, 'The address cannot be read.'])
  })

  test('answer with the headers that every answer has', async ({ client, assert }) => {
    for (const path of ['/nothing-here', '/favicon.svg', '/login', '/health/live', '/v1/models']) {
      const sent = (await client.get(path)).headers()
      assert.containsSubset(
        sent,
        {
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'same-origin',
        },
        path
      )
    }
  })

  test('answer a page to a browser', async ({ client, assert }) => {
    const response = await client.get('/nothing-here').header('accept', 'text/html')
    response.assertStatus(404)
    assert.notMatch(response.text(), /\bat .+:\d+:\d+/)
  })
})
