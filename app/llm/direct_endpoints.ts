import type { ApiType, LlmAdapter } from '#llm/contract'

/** Endpoints of OpenAI's API, below `/v1`, for calling a model directly. */
const OPENAI = ['/chat/completions', '/responses', '/embeddings'] as const

/** Endpoints of Anthropic's API, below `/v1`. */
const ANTHROPIC = ['/messages', '/messages/count_tokens'] as const

export type OpenAiEndpoint = (typeof OPENAI)[number]
export type AnthropicEndpoint = (typeof ANTHROPIC)[number]
export type DirectEndpoint = OpenAiEndpoint | AnthropicEndpoint

/**
 * Endpoints by API family, and their path below the base URL. Families not listed here have none. Many
 * services of OpenAI's two families accept both kinds of chat.
 */
const FAMILIES: Record<string, { prefix: string; endpoints: readonly DirectEndpoint[] }> = {
  'openai-completions': { prefix: '', endpoints: OPENAI },
  'openai-responses': { prefix: '', endpoints: OPENAI },
  'ollama': { prefix: '/v1', endpoints: OPENAI },
  'anthropic-messages': { prefix: '/v1', endpoints: ANTHROPIC },
}

/**
 * Returns the path of an endpoint below a service's base URL. Null if the service has none, or its adapter
 * declares its calls without this one.
 */
export function directPath(
  adapter: Pick<LlmAdapter, 'calls'>,
  apiType: ApiType,
  endpoint: DirectEndpoint
): string | null {
  const family = familyOf(apiType)
  if (!family?.endpoints.includes(endpoint)) return null
  const declared = adapter.calls?.(apiType)
  const path = family.prefix + endpoint
  const isOpen = !declared || declared.some((one) => one.method === 'POST' && one.path === path)
  return isOpen ? path : null
}

/** Returns whether the services of an API family offer OpenAI's endpoints. */
export function speaksOpenAi(apiType: ApiType): boolean {
  return familyOf(apiType)?.endpoints === OPENAI
}

/** Returns whether the services of an API family offer Anthropic's endpoints. */
export function speaksAnthropic(apiType: ApiType): boolean {
  return familyOf(apiType)?.endpoints === ANTHROPIC
}

function familyOf(apiType: ApiType) {
  return Object.hasOwn(FAMILIES, apiType) ? FAMILIES[apiType] : undefined
}
