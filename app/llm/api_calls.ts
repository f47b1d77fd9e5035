import type { ApiCall, ApiType, LlmAdapter } from '#llm/contract'

const OPENAI: ApiCall[] = [
  { method: 'GET', path: '/models' },
  { method: 'POST', path: '/embeddings' },
]

/**
 * The calls that an agent makes per API family, relative to the base URL. None reads, changes or deletes other
 * things that the key can reach: files, stored responses, fine-tuned models, an Ollama server's models.
 */
const FAMILIES: Record<string, ApiCall[]> = {
  'openai-completions': [...OPENAI, { method: 'POST', path: '/chat/completions' }],
  'openai-responses': [...OPENAI, { method: 'POST', path: '/responses' }],
  'anthropic-messages': [
    { method: 'GET', path: '/v1/models' },
    { method: 'POST', path: '/v1/messages' },
    { method: 'POST', path: '/v1/messages/count_tokens', isFree: true },
  ],
  'ollama': [
    { method: 'GET', path: '/api/tags' },
    { method: 'POST', path: '/api/show' },
    { method: 'POST', path: '/api/chat' },
    { method: 'POST', path: '/api/embed' },
  ],
}

/** Allowed values of `{name}`: a model ID in one segment. No `%`, slash, backslash or `;`. */
const VALUE = /^[A-Za-z0-9._~:@+-]+$/

/** Returns the calls that may pass to a service of this adapter. Empty for an unknown family. */
export function callsOf(adapter: Pick<LlmAdapter, 'calls'>, apiType: ApiType): ApiCall[] {
  return adapter.calls?.(apiType) ?? (Object.hasOwn(FAMILIES, apiType) ? FAMILIES[apiType] : [])
}

/**
 * Returns whether an agent's call is among `calls`. `path` is as received, still encoded, without the query.
 */
export function allowsCall(calls: ApiCall[], method: string, path: string): boolean {
  return calls.some((call) => call.method === method && matches(call.path, path))
}

/** Returns whether a call consumes no tokens. `path` as for `allowsCall`. */
export function isFreeCall(calls: ApiCall[], method: string, path: string): boolean {
  const free = calls.filter(({ isFree }) => isFree)
  return free.length > 0 && allowsCall(free, method, path)
}

/** Compares segment by segment, exactly unless the declared segment contains `{name}`. */
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
