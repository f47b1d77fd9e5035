import type { ApiType, LlmAdapter } from '#llm/contract'

/** OpenAI endpoints for calling a model directly. */
export type OpenAiCall = '/chat/completions' | '/responses' | '/embeddings'

/**
 * Path of OpenAI's endpoints below the base URL, by API family. Families not listed here have none. Many
 * services of OpenAI's two families accept both kinds of chat.
 */
const PREFIXES: Record<string, string> = {
  'openai-completions': '',
  'openai-responses': '',
  'ollama': '/v1',
}

/**
 * Returns the path of an OpenAI endpoint below a service's base URL. Null if the service has none, or its
 * adapter declares its calls without this one.
 */
export function openAiPath(
  adapter: Pick<LlmAdapter, 'calls'>,
  apiType: ApiType,
  call: OpenAiCall
): string | null {
  if (!speaksOpenAi(apiType)) return null
  const declared = adapter.calls?.(apiType)
  const path = PREFIXES[apiType] + call
  const isOpen = !declared || declared.some((one) => one.method === 'POST' && one.path === path)
  return isOpen ? path : null
}

/** Returns whether the services of an API family offer OpenAI's endpoints. */
export function speaksOpenAi(apiType: ApiType): boolean {
  return Object.hasOwn(PREFIXES, apiType)
}
