import { test } from '@japa/runner'
import { llmAdapterSuite, type Received, type Reply } from '@mosaic/plugin-kit/testing'
import { AcmeAdapter } from '../src/adapter.ts'

/** Responses of the service, for a valid or an invalid key. */
function answer({ method, url }: Received): Reply {
  const call = `${method} ${url.split('?')[0]}`
  if (call === 'GET /v1/models') return { status: 200, json: { data: [{ id: 'acme-1' }] } }
  if (call === 'POST /v1/chat/completions') {
    return { status: 200, json: { choices: [{ message: { content: 'Hello' } }] } }
  }
  return { status: 404, json: { error: { message: 'no such path' } } }
}

llmAdapterSuite(test, {
  name: 'acme',
  adapter: () => new AcmeAdapter(),
  service: { path: '/v1', models: ['acme-1'], listPath: '/v1/models', answer },
  /**
   * Add every error that the service documents. If Mosaic misreads one, handle it in the adapter's
   * `readError`.
   */
  errors: [
    { status: 401, body: { error: { message: 'no such key' } }, reason: 'unauthorized' },
    {
      status: 400,
      body: { error: { code: 'context_length_exceeded', message: 'too long' } },
      reason: 'context_length',
    },
  ],
})
