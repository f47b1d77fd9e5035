/** What a call cost, as the service counted it. What was read from the service's cache is part of `in`. */
export interface TokenUsage {
  in: number
  out: number
}

/**
 * What one message of an answer says of the tokens used so far, or null where it says nothing. Reads the
 * usage fields of every API family: a whole answer, an event of a stream or a line of NDJSON. Families
 * that tell it in parts leave out what they told before.
 */
export function usageIn(message: unknown): Partial<TokenUsage> | null {
  const told = object(message)
  if (!told) return null
  /** Ollama puts its counts beside the answer. */
  if ('eval_count' in told || 'prompt_eval_count' in told) {
    return counts(told.prompt_eval_count, told.eval_count)
  }
  const usage =
    object(told.usage) ??
    /** OpenAI's Responses: `response.completed`. */
    object(object(told.response)?.usage) ??
    /** Anthropic: `message_start`. */
    object(object(told.message)?.usage)
  return usage ? ofFields(usage) : null
}

function ofFields(usage: Record<string, unknown>): Partial<TokenUsage> | null {
  if ('prompt_tokens' in usage || 'completion_tokens' in usage) {
    return counts(usage.prompt_tokens, usage.completion_tokens)
  }
  /** Anthropic counts beside `input_tokens` what went into its cache and came out of it. */
  const cached =
    (count(usage.cache_creation_input_tokens) ?? 0) + (count(usage.cache_read_input_tokens) ?? 0)
  const input = count(usage.input_tokens)
  return counts(input === undefined ? undefined : input + cached, usage.output_tokens)
}

function counts(input: unknown, output: unknown): Partial<TokenUsage> | null {
  const [into, out] = [count(input), count(output)]
  if (into === undefined && out === undefined) return null
  return { ...(into !== undefined && { in: into }), ...(out !== undefined && { out }) }
}

/** A service may say anything: only what can be a number of tokens counts. */
function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

function object(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
}
