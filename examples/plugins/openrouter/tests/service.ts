import type { Received, Reply } from '@mosaic/plugin-kit/testing'

const MODELS = [
  {
    id: 'vendor/large',
    name: 'Vendor: Large',
    context_length: 200_000,
    top_provider: { max_completion_tokens: 32_000 },
  },
  { id: 'vendor/small', name: '', context_length: null },
]

/** Answers as OpenRouter does. `knowsKey` decides whether the key is accepted. */
export const openrouter =
  (knowsKey = true) =>
  ({ method, url }: Received): Reply => {
    const call = `${method} ${url.split('?')[0]}`
    if (call === 'GET /api/v1/models') return { status: 200, json: { data: MODELS } }
    if (call === 'GET /api/v1/key' && knowsKey) return { status: 200, json: { data: {} } }
    if (call === 'GET /api/v1/key') return { status: 401, json: { error: { code: 401 } } }
    if (call === 'POST /api/v1/chat/completions') {
      return { status: 200, json: { choices: [{ message: { content: 'Hello' } }] } }
    }
    return { status: 404, json: { error: { message: 'no such path' } } }
  }
