import { askService, badAnswer, jsonPost, type LabelledTestOptions } from '#llm/connection_test'
import type { EmbeddingInput, Embeddings, LlmConnection } from '#llm/contract'
import { authorizeBearer } from '#llm/openai_api'
import { tokenCount } from '#llm/token_usage'

/** How a service is asked for vectors, and where its answer holds them. */
export interface EmbeddingCall extends LabelledTestOptions {
  path: string
  body: unknown
  /** Returns the vectors and the tokens of the answer. An exception means that it is malformed. */
  read(answer: any): { vectors: unknown; tokens: unknown }
}

/** Turns texts into vectors by OpenAI's API: `POST /embeddings` under `baseUrl`. */
export function embedByOpenAiApi(
  connection: LlmConnection,
  { model, texts }: EmbeddingInput,
  options: LabelledTestOptions
): Promise<Embeddings> {
  return embedBy(connection, texts.length, {
    ...options,
    path: '/embeddings',
    body: { model, input: texts, encoding_format: 'float' },
    read: ({ data, usage }) => ({
      vectors: data
        .toSorted((one: any, other: any) => one.index - other.index)
        .map(({ embedding }: any) => embedding),
      tokens: usage?.prompt_tokens ?? usage?.total_tokens,
    }),
  })
}

/** Sends one call with the key as bearer token, and checks that it answers `count` usable vectors. */
export async function embedBy(
  { baseUrl, apiKey }: LlmConnection,
  count: number,
  { path, body, read, ...options }: EmbeddingCall
): Promise<Embeddings> {
  const outcome = await askService(options, async (ask) => {
    const headers = new Headers()
    if (apiKey) authorizeBearer(headers, apiKey)
    const answer = await ask(`${baseUrl}${path}`, jsonPost(headers, body))
    try {
      const { vectors, tokens } = read(answer)
      if (areVectors(vectors, count)) return { vectors, tokens: tokenCount(tokens) ?? null }
    } catch {
      /** Malformed. */
    }
    throw badAnswer(options.label)
  })
  return outcome.ok ? { ok: true, ...outcome.value } : outcome
}

/** Longer than the vectors of any known model. */
const MOST_DIMENSIONS = 16_384

function areVectors(given: unknown, count: number): given is number[][] {
  if (!Array.isArray(given) || given.length !== count) return false
  const length = given[0]?.length
  return given.every(
    (vector) =>
      Array.isArray(vector) &&
      vector.length === length &&
      length <= MOST_DIMENSIONS &&
      vector.every(Number.isFinite) &&
      vector.some((part) => part !== 0)
  )
}
