import type { Embeddings } from '#llm/contract'

/** An agent's call for vectors, in OpenAI's shape. */
export interface EmbeddingCall {
  model: string
  texts: string[]
  /** Numbers as base64 of 32-bit floats, for clients that ask for it. */
  isBase64: boolean
}

/** Texts of one call; OpenAI accepts as many. */
const MOST_TEXTS = 2048

/** Whether a call asks for vectors, by the path that OpenAI's API has for them. */
export const isEmbeddingCall = (method: string, path: string) =>
  method === 'POST' && path === '/embeddings'

/** Reads the body of `POST /embeddings`; null if it is not valid. */
export function readEmbeddingCall(body: unknown): EmbeddingCall | null {
  const { model, input, encoding_format: format } = (body ?? {}) as Record<string, unknown>
  const texts = typeof input === 'string' ? [input] : input
  const isValid =
    typeof model === 'string' &&
    Array.isArray(texts) &&
    texts.length > 0 &&
    texts.length <= MOST_TEXTS &&
    texts.every((text) => typeof text === 'string' && text !== '')
  return isValid ? { model, texts, isBase64: format === 'base64' } : null
}

/** Returns the answer to `POST /embeddings` as OpenAI's API gives it, in JSON. */
export function embeddingAnswer(
  { vectors, tokens }: Extract<Embeddings, { ok: true }>,
  { model, isBase64 }: EmbeddingCall
): Buffer {
  const data = vectors.map((vector, index) => {
    const embedding = isBase64
      ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
      : vector
    return { object: 'embedding', index, embedding }
  })
  const usage = { prompt_tokens: tokens ?? 0, total_tokens: tokens ?? 0 }
  return Buffer.from(JSON.stringify({ object: 'list', data, model, usage }))
}
