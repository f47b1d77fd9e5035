import type { ProviderError } from '#llm_relay/provider_error'
import type { ProviderFailureReason } from '#llm_relay/provider_failures'

/** Identifiers that services use for each kind of failure, in `code`, `type`, `status` or `reason`. */
const CODES: Partial<Record<ProviderFailureReason, Set<string>>> = {
  billing: new Set([
    'insufficient_quota',
    'insufficient_balance',
    'insufficient_credits',
    'insufficient_funds',
    'billing_error',
    'billing_disabled',
    'billing_not_active',
    'billing_hard_limit_reached',
    'payment_required',
    'budget_exceeded',
    /** Moonshot, Alibaba, Z.AI. */
    'exceeded_current_quota_error',
    'arrearage',
    'allocationquota.freetieronly',
    '1113',
    '1309',
    /** Volcengine. */
    'accountoverdueerror',
  ]),
  context_length: new Set([
    'context_length_exceeded',
    'context_window_exceeded',
    'exceed_context_size_error',
    'contextwindowexceedederror',
    'model_max_prompt_tokens_exceeded',
    'string_above_max_length',
    'request_too_large',
    'tokens_limit_reached',
    /** Z.AI. */
    '1261',
  ]),
  unauthorized: new Set([
    'invalid_api_key',
    'api_key_invalid',
    'expired_api_key',
    'authentication_error',
    'authenticationerror',
    'auth_error',
    'unauthenticated',
    'unauthorized',
    'invalid_authentication_error',
    'permission_error',
    'permission_denied',
    'account_deactivated',
    'invalidapikey',
    'unrecognizedclientexception',
    'accessdeniedexception',
    /** Z.AI. */
    '1000',
    '1001',
    '1002',
    '1003',
    '1004',
    '1110',
    '1111',
    '1112',
  ]),
  not_found: new Set([
    'model_not_found',
    'model_not_available',
    'model_decommissioned',
    'invalid_model',
    'not_found_error',
    'notfounderror',
    'not_found',
    'deploymentnotfound',
    'unknown_model',
    /** Z.AI. */
    '1211',
  ]),
  /** The key is fine: OpenAI does not serve the country that Mosaic calls from. */
  bad_response: new Set(['unsupported_country_region_territory']),
  rate_limited: new Set([
    'rate_limit_exceeded',
    'rate_limit_error',
    'rate_limited',
    'rate_limit_reached_error',
    'ratelimitreached',
    'ratelimitexceeded',
    'too_many_requests',
    'resource_exhausted',
    'throttlingexception',
    /** Z.AI. */
    '1302',
    '1303',
    '1305',
    '1308',
  ]),
}

/** Phrases of services that send no code. Matched against the message only, without links and quotations. */
const WORDS: Partial<Record<ProviderFailureReason, RegExp>> = {
  billing:
    /insufficient (?:\w{1,20} )?(?:balance|credits?|funds|quota)|credit balance is too low|(?:balance|credits?) (?:is|are) (?:insufficient|not enough|exhausted)|out of credits|all available credits|(?:have|has) any credits|requires more credits|payment required|budget has been exceeded|exceeded ?budget|over budget|spend(?:ing)? limit|key limit exceeded \((?:total|daily|weekly|monthly)|billing (?:\w{1,20} )?(?:disabled|not active)|余额不足|欠费/i,
  context_length:
    /(?:prompt|input|conversation|message) is too long|context[_ ]length[_ ](?:is )?exceeded|maximum context length|exceed context limit|range of input length|tokens \+ +must be <=|maximum prompt length|maximum model length|context window|available context size|input token count|(?:than|exceeds) the (?:model's )?context length|context length of only|reduce the length of|exceeded model token limit|too many tokens|token limit exceeded|tokens too large for model|too large for model with|prompt exceeds max length|max_seq_len|max_model_len/i,
  unauthorized:
    /api[ _-]?key (?:is |was )?(?:not valid|not found|invalid|incorrect|expired|missing|not provided)|(?:invalid|incorrect|expired|missing|wrong) (?:\w{1,20} )?api[ _-]?key|invalid authorization|invalid authentication|authentication (?:failed|required)|unauthori[sz]ed/i,
  not_found:
    /not a valid model|invalid model (?:name|id)|invalid model:|unknown model|no such model|model not found|model[^.]{1,80}(?:not found|does not exist|not exist)/i,
  rate_limited: /rate limit|too many requests|requests per minute|tokens per minute/i,
}

/** Text to ignore: quotations and links. */
const OF_OTHERS = /https?:\/\/\S+|"[^"]*"|“[^“”]*”|`[^`]*`/g
/**
 * Single-quoted text. As apostrophes occur within words, it must start after white space and end before a
 * mark.
 */
const QUOTED = /(?<=^|[\s:(])'[^']*'(?=$|[\s:;,.)])/g

/**
 * Returns why a service refused a call. `status` is that of its response, or null for an error inside a
 * response that began with 200, which is classified by its content.
 */
export function failureReason(status: number | null, error: ProviderError): ProviderFailureReason {
  const told = status ?? error.status
  const coded = (reason: ProviderFailureReason) =>
    error.codes.some((code) => CODES[reason]?.has(code))
  const message = error.message.replace(OF_OTHERS, ' ').replace(QUOTED, ' ')
  const worded = (reason: ProviderFailureReason) => WORDS[reason]?.test(message) === true

  if (told === 402 || coded('billing')) return 'billing'
  if (coded('context_length')) return 'context_length'
  /** Google says "check your plan and billing details" even for two requests within a minute. */
  if (coded('rate_limited')) return 'rate_limited'
  const isRefusal = told === null || (told >= 400 && told < 500)
  if (isRefusal && worded('billing')) return 'billing'

  if (coded('bad_response')) return 'bad_response'
  if (told === 401) return 'unauthorized'
  if (coded('not_found') || told === 404) return 'not_found'
  if (coded('unauthorized')) return 'unauthorized'
  if (told === 403) return isModeration(error, message) ? 'bad_request' : 'unauthorized'
  if (told === 429) return 'rate_limited'
  if (told === 408 || told === 504) return 'timeout'
  if (told === 413) return 'context_length'

  const maySay = isRefusal || told === 500
  if (maySay && worded('context_length')) return 'context_length'
  if (told === null && worded('rate_limited')) return 'rate_limited'
  if (isRefusal && worded('unauthorized')) return 'unauthorized'
  if (isRefusal && worded('not_found')) return 'not_found'
  if (told === 400 || told === 422) return 'bad_request'
  return told === null && error.codes.includes('invalid_request_error')
    ? 'bad_request'
    : 'bad_response'
}

/** OpenRouter and others answer 403 to text that their filter refuses: the key is fine. */
function isModeration({ codes }: ProviderError, message: string): boolean {
  return codes.includes('content_filter') || /\bflagged\b|moderation/i.test(message)
}
