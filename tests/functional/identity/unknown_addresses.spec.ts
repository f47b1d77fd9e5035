import { test } from '@japa/runner'

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
