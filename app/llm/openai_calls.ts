import type { ApiType, LlmAdapter } from '#llm/contract'

/** The calls of OpenAI's API that a client makes of a model itself. */
export type OpenAiCall = '/chat/completions' | '/responses' | '/embeddings'

/**
 * Where the services of an API family take OpenAI's calls, below the base address. A family that is not among
 * these speaks another language. Many services of either of OpenAI's own take both kinds of chat.
 */
const PREFIXES: Record<string, string> = {
  'openai-completions': '',
  'openai-responses': '',
  'ollama': '/v1',
}

/**
 * The path of a call of OpenAI's at a service, below its base address. Null where the service speaks another
 * language, or its adapter declares its calls and this is not among them.
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

/** Whether the services of an API family take OpenAI's calls. */
export function speaksOpenAi(apiType: ApiType): boolean {
  return Object.hasOwn(PREFIXES, apiType)
}
