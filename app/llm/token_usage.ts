/** What a call cost, as the service counted it. What was read from the service's cache is part of `in`. */
export interface TokenUsage {
  in: number
  out: number
}

type Fields = Record<string, unknown>

/**
 * What one message of an answer says of the tokens used so far, or null where it says nothing. Reads the
 * usage fields of every API family: a whole answer, an event of a stream or an object of NDJSON. Families
 * that tell it in parts leave out what they told before.
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

/** Where services put it, the likeliest first. */
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
    /** OpenAI's Responses: `response.completed`. */
    written(response?.usage),
    /** Anthropic: `message_start`. */
    written(message?.usage),
    /** Moonshot and others. */
    written(choice?.usage),
    written(object(told.x_groq)?.usage),
    /** Gemini. */
    written(told.usageMetadata),
    written(response?.usageMetadata),
    /** Cohere: `message-end`, and its first API. */
    written(delta?.usage),
    written(told.meta),
    written(response?.meta),
    /** Bedrock: the event that ends its stream. */
    written(metadata?.usage),
    /** Ollama puts its counts beside the answer. */
    told,
  ]
}

/** The names of the two counts, by who uses them. A count of its own beside them is added. */
const NAMES: { in: string[]; out: string[] }[] = [
  { in: ['prompt_tokens'], out: ['completion_tokens'] },
  {
    /** Anthropic counts beside `input_tokens` what went into its cache and came out of it. */
    in: ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'],
    out: ['output_tokens'],
  },
  { in: ['inputTokens', 'cacheReadInputTokens', 'cacheWriteInputTokens'], out: ['outputTokens'] },
  { in: ['promptTokenCount'], out: ['candidatesTokenCount', 'thoughtsTokenCount'] },
  { in: ['prompt_eval_count'], out: ['eval_count'] },
]

function ofFields(usage: Fields): Partial<TokenUsage> | null {
  for (const names of NAMES) {
    const [input, out] = [sum(usage, names.in), sum(usage, names.out)]
    if (input !== undefined || out !== undefined) {
      return { ...(input !== undefined && { in: input }), ...(out !== undefined && { out }) }
    }
  }
  /** Cohere: all of it, and the part that is billed. */
  const inner = object(usage.tokens) ?? object(usage.billed_units)
  return inner && ofFields(inner)
}

/** The first count with those beside it, or undefined where there is none: the others say nothing alone. */
function sum(usage: Fields, [first, ...others]: string[]): number | undefined {
  const counted = count(usage[first])
  if (counted === undefined) return undefined
  return others.reduce((total, name) => total + (count(usage[name]) ?? 0), counted)
}

/** Tokens of one call, at most. Sums of what a service makes up must fit into a column, or nobody's are kept. */
const MOST = 1_000_000_000

/** A service may say anything, as a number or as text: only what can be a number of tokens counts. */
function count(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  const isCount =
    Number.isSafeInteger(number) && (number as number) >= 0 && (number as number) <= MOST
  return isCount ? (number as number) : undefined
}

/** Counts as an object, or as the text of one, as some proxies write them. */
function written(value: unknown): Fields | null {
  if (typeof value !== 'string' || !value.startsWith('{')) return object(value)
  try {
    return object(JSON.parse(value))
  } catch {
    return null
  }
}

function object(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}
