import {
  badAnswer,
  jsonPost,
  listOrComplete,
  testConnection,
  type LabelledTestOptions,
} from '#llm/connection_test'
import type { ConnectionTest, LlmConnection, LlmModel } from '#llm/contract'

/** Adds the key as OpenAI and compatible APIs expect it. */
export function authorizeBearer(headers: Headers, apiKey: string): void {
  headers.set('authorization', `Bearer ${apiKey}`)
}

/** Inputs of a test of OpenAI's API. */
export interface OpenAiTestOptions extends LabelledTestOptions {
  /**
   * Reads one entry of the service's list of models, or returns null for a model that does not chat. `model` is what
   * every such list tells: ID, name, and `context_length` or `max_model_len` as its size. An exception means that the
   * list is malformed.
   */
  readModel?(entry: Record<string, any>, model: LlmModel): LlmModel | null
}

/**
 * Tests a service with OpenAI's API under `baseUrl`: lists its models, or else requests one token. Drops sizes that
 * are not positive integers.
 */
export function testOpenAiApi(
  connection: LlmConnection,
  options: OpenAiTestOptions
): Promise<ConnectionTest> {
  const { baseUrl, apiKey, apiType, models } = connection
  return testConnection(options, (ask) => {
    const headers = new Headers()
    if (apiKey) authorizeBearer(headers, apiKey)

    return listOrComplete({
      declared: models,
      list: async () => readModels(await ask(`${baseUrl}/models`, { headers }), options),
      complete: async (modelId) => {
        const { path, body, holds } = oneToken(apiType, modelId)
        const answer = await ask(`${baseUrl}${path}`, jsonPost(headers, body))
        if (!Array.isArray((answer as any)?.[holds])) throw badAnswer(options.label)
      },
    })
  })
}

/** The smallest request of each of the two APIs, and the location of the text in the response. */
function oneToken(apiType: string, model: string) {
  if (apiType === 'openai-responses') {
    /** The minimum of the Responses API. */
    const body = { model, input: 'Hi', max_output_tokens: 16, store: false }
    return { path: '/responses', body, holds: 'output' }
  }
  const body = { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }
  return { path: '/chat/completions', body, holds: 'choices' }
}

function readModels(answer: unknown, { label, readModel }: OpenAiTestOptions): LlmModel[] {
  const list = (answer as any)?.data
  if (!Array.isArray(list)) throw badAnswer(label)
  const entries = list.filter((entry) => typeof entry?.id === 'string' && entry.id !== '')
  if (!readModel) return entries.map(usualModel).map(withRealSizes)
  try {
    return entries.flatMap((entry) => readModel(entry, usualModel(entry)) ?? []).map(withRealSizes)
  } catch {
    throw badAnswer(label)
  }
}

/** OpenAI's list has only IDs; OpenRouter, vLLM and others add a name and the context size. */
function usualModel(entry: any): LlmModel {
  const { id, name, context_length: length, max_model_len: limit } = entry
  const contextWindow = [length, limit].find(isSize)
  return {
    id,
    name: typeof name === 'string' && name !== '' ? name : id,
    ...(contextWindow && { contextWindow }),
  }
}

function withRealSizes({ contextWindow, maxTokens, ...model }: LlmModel): LlmModel {
  return {
    ...model,
    ...(isSize(contextWindow) && { contextWindow }),
    ...(isSize(maxTokens) && { maxTokens }),
  }
}

function isSize(size: unknown): boolean {
  return Number.isInteger(size) && Number(size) > 0
}
