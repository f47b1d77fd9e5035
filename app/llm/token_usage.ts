import { parseJson } from '#bounded/json'

/** A call's token counts, as the service reports them. Cached tokens are part of `in`. */
export interface TokenUsage {
  in: number
  out: number
}

type Fields = Record<string, unknown>

/**
 * Returns the token usage so far from one message of a response, or null if it has none. Reads the usage fields
 * of every API family, from a whole response, a stream event or an NDJSON object. Families that report in parts
 * omit earlier counts.
 */
export function usageIn(message: unknown): Partial<TokenUsage> | null {
  const told = object(message)
  if (!told) return null
  for (const place of placesIn(told)) {
    const usage = place && ofFields(place)
    if (usage) return usage
  }
  return null
}

/** Where services put usage, most likely first. */
function placesIn(told: Fields): (Fields | null)[] {
  const choice = Array.isArray(told.choices) ? object(told.choices[0]) : null
  const [response, message, delta, metadata] = [
    object(told.response),
    object(told.message),
    object(told.delta),
    object(told.metadata),
  ]
  return [
    written(told.usage),
    /** OpenAI Responses: `response.completed`. */
    written(response?.usage),
    /** Anthropic: `message_start`. */
    written(message?.usage),
    /** Moonshot and others. */
    written(choice?.usage),
    written(object(choice?.message)?.usage),
    written(object(told.x_groq)?.usage),
    /** Gemini. */
    written(told.usageMetadata),
    written(response?.usageMetadata),
    /** Cohere: `message-end`, and its first API. */
    written(delta?.usage),
    written(told.meta),
    written(response?.meta),
    /** Bedrock: the final stream event. */
    written(metadata?.usage),
    written(told['amazon-bedrock-invocationMetrics']),
    /** Proxies that wrap the response. */
    written(object(told.data)?.usage),
    /** Ollama puts its counts at the top level. */
    told,
  ]
}

/** Names of the two counts, by service. Further names are separate counts to add. */
const NAMES: { in: string[]; out: string[] }[] = [
  { in: ['prompt_tokens'], out: ['completion_tokens'] },
  {
    /** Anthropic counts cache writes and reads separately from `input_tokens`. */
    in: ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'],
    out: ['output_tokens'],
  },
  { in: ['inputTokens', 'cacheReadInputTokens', 'cacheWriteInputTokens'], out: ['outputTokens'] },
  { in: ['promptTokenCount'], out: ['candidatesTokenCount', 'thoughtsTokenCount'] },
  { in: ['prompt_eval_count'], out: ['eval_count'] },
  { in: ['inputTokenCount'], out: ['outputTokenCount'] },
  { in: ['promptTokens'], out: ['completionTokens'] },
]

function ofFields(usage: Fields): Partial<TokenUsage> | null {
  for (const names of NAMES) {
    const [input, out] = [sum(usage, names.in), outOf(usage, names.out)]
    if (input !== undefined || out !== undefined) {
      return { ...(input !== undefined && { in: input }), ...(out !== undefined && { out }) }
    }
  }
  /** Cohere: total and billed tokens. */
  const inner = object(usage.tokens) ?? object(usage.billed_units)
  return inner && ofFields(inner)
}

/**
 * Sums the tokens of an answer. Adds reasoning that stands beside them, as xAI reports it; most services include
 * it. Gemini reports its thoughts alone if they left no room for an answer.
 */
function outOf(usage: Fields, names: string[]): number | undefined {
  const isGemini = names.includes('thoughtsTokenCount')
  const out = sum(usage, names) ?? (isGemini ? tokenCount(usage.thoughtsTokenCount) : undefined)
  const [total, input, reasoning] = [
    tokenCount(usage.total_tokens),
    tokenCount(usage.prompt_tokens),
    tokenCount(object(usage.completion_tokens_details)?.reasoning_tokens ?? usage.reasoning_tokens),
  ]
  if (out === undefined || total === undefined || input === undefined || !reasoning) return out
  return total >= input + out + reasoning ? out + reasoning : out
}

/** Sums the first count and the others; undefined without the first, because the others mean nothing alone. */
function sum(usage: Fields, [first, ...others]: string[]): number | undefined {
  const counted = tokenCount(usage[first])
  if (counted === undefined) return undefined
  return others.reduce((total, name) => total + (tokenCount(usage[name]) ?? 0), counted)
}

/** Maximum tokens per call. Sums of made-up numbers must still fit into a column, or no usage is saved. */
const MOST = 1_000_000_000

/** A service may send anything, as a number or a string: only plausible token counts are accepted. */
export function tokenCount(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  const isCount =
    Number.isSafeInteger(number) && (number as number) >= 0 && (number as number) <= MOST
  return isCount ? (number as number) : undefined
}

/** Counts as an object, or as a JSON string, as some proxies send them. */
function written(value: unknown): Fields | null {
  if (typeof value !== 'string' || !value.startsWith('{')) return object(value)
  try {
    return object(parseJson(value))
  } catch {
    return null
  }
}

function object(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}
