import { test } from '@japa/runner'
import { listOrComplete, testConnection } from '#llm/connection_test'

/** As the class of another copy of the package throws it. */
const foreign = (members: object) => Object.assign(new Error('From a plugin.'), members)

const failing = (error: Error) =>
  testConnection(
    { label: 'Acme', fetch: () => Promise.reject(error), signal: new AbortController().signal },
    async (ask) => {
      await ask('https://acme.test/models')
      return []
    }
  )

test.group('A connection test that fails with a class of a plugin', () => {
  test('keeps the reason and the sentence of a service failure', async ({ assert }) => {
    const result = await failing(foreign({ code: 'E_LLM_SERVICE', reason: 'rate_limited' }))
    assert.include(result, { ok: false, reason: 'rate_limited', message: 'From a plugin.' })
  })

  test('says that an address is blocked', async ({ assert }) => {
    const result = await failing(foreign({ code: 'E_BLOCKED_ADDRESS' }))
    assert.include(result, { ok: false, reason: 'blocked_address' })
  })

  test('takes what it does not know for a service that is not reached', async ({ assert }) => {
    const result = await failing(foreign({ code: 'E_SOMETHING' }))
    assert.include(result, { ok: false, reason: 'unreachable' })
  })

  test('completes a token where the service has no list', async ({ assert }) => {
    const declared = [{ id: 'acme-1', name: 'Acme 1' }]
    const models = await listOrComplete({
      declared,
      list: () => Promise.reject(foreign({ code: 'E_LLM_SERVICE', reason: 'not_found' })),
      complete: async () => {},
    })
    assert.deepEqual(models, declared)
  })
})
