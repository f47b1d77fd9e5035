import { test } from '@japa/runner'
import { createGuardedFetch, LoopbackService } from '@mosaic/plugin-kit/testing'
import { OpenrouterAdapter } from '../src/adapter.ts'
import { openrouter } from './service.ts'

const fetch = createGuardedFetch({ allowedRanges: ['127.0.0.0/8'] })

async function connect(service: LoopbackService) {
  const adapter = new OpenrouterAdapter()
  return adapter.testConnection(
    { baseUrl: `${service.url}/api/v1`, apiKey: 'key', apiType: 'openai-completions', models: [] },
    { fetch, signal: AbortSignal.timeout(10_000) }
  )
}

test.group('OpenRouter', () => {
  test('is told of a wrong key, though the list of models is public', async ({
    assert,
    cleanup,
  }) => {
    const service = await LoopbackService.start(openrouter(false))
    cleanup(() => service.close())
    const result = await connect(service)
    assert.containSubset(result, { ok: false, reason: 'unauthorized' })
  })

  test('takes the sizes of models, where there are any', async ({ assert, cleanup }) => {
    const service = await LoopbackService.start(openrouter())
    cleanup(() => service.close())
    const { models } = await connect(service)
    assert.deepEqual(models, [
      { id: 'vendor/large', name: 'Vendor: Large', contextWindow: 200_000, maxTokens: 32_000 },
      { id: 'vendor/small', name: 'vendor/small' },
    ])
  })

  test('names the application in each call', ({ assert }) => {
    const headers = new Headers()
    new OpenrouterAdapter().authorize(headers, 'key')
    assert.equal(headers.get('x-title'), 'Mosaic')
  })
})
