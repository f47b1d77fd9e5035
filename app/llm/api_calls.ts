import type { ApiCall, ApiType, LlmAdapter } from '#llm/contract'

const OPENAI: ApiCall[] = [
  { method: 'GET', path: '/models' },
  { method: 'POST', path: '/embeddings' },
]

/**
 * The calls of each API family that an agent makes, below the base address. Nothing that reads, changes or
 * deletes what else the same key can reach: files, stored answers, fine-tuned models, an Ollama's models.
 */
const FAMILIES: Record<string, ApiCall[]> = {
  'openai-completions': [...OPENAI, { method: 'POST', path: '/chat/completions' }],
  'openai-responses': [...OPENAI, { method: 'POST', path: '/responses' }],
  'anthropic-messages': [
    { method: 'GET', path: '/v1/models' },
    { method: 'POST', path: '/v1/messages' },
    { method: 'POST', path: '/v1/messages/count_tokens' },
  ],
  'ollama': [
    { method: 'GET', path: '/api/tags' },
    { method: 'POST', path: '/api/show' },
    { method: 'POST', path: '/api/chat' },
    { method: 'POST', path: '/api/embed' },
  ],
}

/** What may stand for `{name}`: a model's id in one segment. No `%`, no slash and no backslash, no `;`. */
const VALUE = /^[A-Za-z0-9._~:@+-]+$/

/** The calls that pass to a service of this adapter. Empty for a family that neither side knows. */
export function callsOf(adapter: Pick<LlmAdapter, 'calls'>, apiType: ApiType): ApiCall[] {
  return adapter.calls?.(apiType) ?? (Object.hasOwn(FAMILIES, apiType) ? FAMILIES[apiType] : [])
}

/** Whether an agent's call is among `calls`. `path` is as it arrived, still encoded, without the query. */
export function allowsCall(calls: ApiCall[], method: string, path: string): boolean {
  return calls.some((call) => call.method === method && matches(call.path, path))
}

/** Segment by segment, and letter by letter where the declared segment has no `{name}`. */
function matches(declared: string, path: string): boolean {
  if (declared === path) return true
  const wanted = declared.split('/')
  const given = path.split('/', wanted.length + 1)
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => matchesSegment(segment, given[index]))
  )
}

function matchesSegment(declared: string, given: string): boolean {
  const [open, close] = [declared.indexOf('{'), declared.indexOf('}')]
  if (open === -1) return declared === given
  const [before, after] = [declared.slice(0, open), declared.slice(close + 1)]
  if (!given.startsWith(before) || !given.endsWith(after)) return false
  const value = given.slice(before.length, given.length - after.length)
  return VALUE.test(value) && value !== '.' && value !== '..'
}
