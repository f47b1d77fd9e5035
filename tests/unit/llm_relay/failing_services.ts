import type { ProviderFailureReason } from '#llm_relay/provider_failures'

/** An error as a service really writes it, and what it is. */
export interface FailingService {
  service: string
  says: string
  status: number
  body: unknown
  reason: ProviderFailureReason
}

const openAi = (message: string, type: string, code: string | null) => ({
  error: { message, type, param: null, code },
})

const google = (code: number, status: string, message: string, details: unknown[] = []) => ({
  error: { code, message, status, details },
})

const quota = (window: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  'violations': [
    {
      quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
      quotaId: `GenerateRequestsPer${window}PerProjectPerModel-FreeTier`,
    },
  ],
})

const QUOTA =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 15 Please retry in 38.8s.'

const BAD_KEY = google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
  { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', 'reason': 'API_KEY_INVALID' },
])

/** By service: a refused key, an empty account, a limit, a model that is not there, too long a conversation. */
export const FAILING_SERVICES: FailingService[] = [
  {
    service: 'OpenAI',
    says: 'a wrong key',
    status: 401,
    body: openAi(
      'Incorrect API key provided: sk-abc. You can find your API key at https://platform.openai.com/account/api-keys.',
      'invalid_request_error',
      'invalid_api_key'
    ),
    reason: 'unauthorized',
  },
  {
    service: 'OpenAI',
    says: 'no credit',
    status: 429,
    body: openAi(
      'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
      'insufficient_quota',
      'insufficient_quota'
    ),
    reason: 'billing',
  },
  {
    service: 'OpenAI',
    says: 'a limit by the minute',
    status: 429,
    body: openAi(
      'Rate limit reached for gpt-5.4 in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Visit https://platform.openai.com/account/billing to learn more.',
      'tokens',
      'rate_limit_exceeded'
    ),
    reason: 'rate_limited',
  },
  {
    service: 'OpenAI',
    says: 'too long',
    status: 400,
    body: openAi(
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 tokens. Please reduce the length of the messages.",
      'invalid_request_error',
      'context_length_exceeded'
    ),
    reason: 'context_length',
  },
  {
    service: 'OpenAI Responses',
    says: 'too long, without a code',
    status: 400,
    body: openAi(
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'invalid_request_error',
      null
    ),
    reason: 'context_length',
  },
  {
    service: 'OpenAI',
    says: 'a model that the project may not use',
    status: 403,
    body: openAi(
      'Project `proj_1` does not have access to model `gpt-9`',
      'invalid_request_error',
      'model_not_found'
    ),
    reason: 'not_found',
  },
  {
    service: 'OpenAI',
    says: 'a wrong parameter, whose value speaks of money',
    status: 400,
    body: openAi(
      "Invalid value: 'my billing address has insufficient funds'. Supported values are: 'auto' and \"none\".",
      'invalid_request_error',
      'invalid_value'
    ),
    reason: 'bad_request',
  },
  {
    service: 'OpenAI',
    says: 'a wrong parameter, with a link to a page about billing',
    status: 400,
    body: openAi(
      'Unsupported parameter. See https://platform.openai.com/account/billing/payment-required',
      'invalid_request_error',
      'unsupported_parameter'
    ),
    reason: 'bad_request',
  },
  {
    service: 'Azure OpenAI',
    says: 'a wrong key',
    status: 401,
    body: {
      error: {
        code: '401',
        message: 'Access denied due to invalid subscription key or wrong API endpoint.',
      },
    },
    reason: 'unauthorized',
  },
  {
    service: 'Azure OpenAI',
    says: 'a limit',
    status: 429,
    body: {
      error: {
        code: 'RateLimitReached',
        message:
          'Your requests to gpt-5 have exceeded the token rate limit of your pricing tier. Visit https://aka.ms/oai/quotaincrease.',
      },
    },
    reason: 'rate_limited',
  },
  {
    service: 'Azure OpenAI',
    says: 'a deployment that is not there',
    status: 404,
    body: {
      error: {
        code: 'DeploymentNotFound',
        message: 'The API deployment for this resource does not exist.',
      },
    },
    reason: 'not_found',
  },
  {
    service: 'Anthropic',
    says: 'a wrong key',
    status: 401,
    body: { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
    reason: 'unauthorized',
  },
  {
    service: 'Anthropic',
    says: 'no credit',
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      },
    },
    reason: 'billing',
  },
  {
    service: 'Anthropic',
    says: 'a limit',
    status: 429,
    body: {
      type: 'error',
      error: {
        type: 'rate_limit_error',
        message:
          "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
      },
    },
    reason: 'rate_limited',
  },
  {
    service: 'Anthropic',
    says: 'too long',
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'prompt is too long: 202095 tokens > 200000 maximum',
      },
    },
    reason: 'context_length',
  },
  {
    service: 'Anthropic',
    says: 'too large',
    status: 413,
    body: {
      type: 'error',
      error: { type: 'request_too_large', message: 'Request exceeds the maximum size' },
    },
    reason: 'context_length',
  },
  {
    service: 'Anthropic',
    says: 'that it is overloaded',
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    reason: 'bad_response',
  },
  { service: 'Gemini', says: 'a wrong key', status: 400, body: BAD_KEY, reason: 'unauthorized' },
  {
    service: 'Gemini, by its OpenAI API',
    says: 'a wrong key in a list',
    status: 400,
    body: [BAD_KEY],
    reason: 'unauthorized',
  },
  {
    service: 'Gemini, through a proxy',
    says: 'a wrong key written out as text',
    status: 400,
    body: {
      error: { message: JSON.stringify(BAD_KEY, null, 2), code: 400, status: 'Bad Request' },
    },
    reason: 'unauthorized',
  },
  {
    service: 'Gemini',
    says: 'a limit by the minute',
    status: 429,
    body: google(429, 'RESOURCE_EXHAUSTED', QUOTA, [quota('Minute')]),
    reason: 'rate_limited',
  },
  {
    service: 'Gemini, by its OpenAI API',
    says: 'a limit by the minute, in a list',
    status: 429,
    body: [google(429, 'RESOURCE_EXHAUSTED', QUOTA, [quota('Minute')])],
    reason: 'rate_limited',
  },
  {
    service: 'Gemini',
    says: 'too long',
    status: 400,
    body: google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'
    ),
    reason: 'context_length',
  },
  {
    service: 'Gemini',
    says: 'a model that is not there',
    status: 404,
    body: google(404, 'NOT_FOUND', 'models/gemini-9 is not found for API version v1beta.'),
    reason: 'not_found',
  },
  {
    service: 'Google Vertex',
    says: 'a project without billing',
    status: 403,
    body: google(403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', 'reason': 'BILLING_DISABLED' },
    ]),
    reason: 'billing',
  },
  {
    service: 'Mistral',
    says: 'a wrong key',
    status: 401,
    body: { message: 'Unauthorized', request_id: 'a' },
    reason: 'unauthorized',
  },
  {
    service: 'Mistral',
    says: 'too long',
    status: 400,
    body: {
      object: 'error',
      message:
        'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      type: 'invalid_request_error',
      param: null,
      code: '3051',
    },
    reason: 'context_length',
  },
  {
    service: 'Mistral',
    says: 'a model that is not there',
    status: 400,
    body: {
      object: 'error',
      message: 'Invalid model: mistral-9',
      type: 'invalid_model',
      code: '1500',
    },
    reason: 'not_found',
  },
  {
    service: 'Mistral',
    says: 'a wrong field, as FastAPI does',
    status: 422,
    body: { detail: [{ loc: ['body', 'temperature'], msg: 'Input should be less than 1.5' }] },
    reason: 'bad_request',
  },
  {
    service: 'Groq',
    says: 'too long',
    status: 400,
    body: openAi(
      'Please reduce the length of the messages or completion.',
      'invalid_request_error',
      'context_length_exceeded'
    ),
    reason: 'context_length',
  },
  {
    service: 'Groq',
    says: 'more than a minute allows',
    status: 413,
    body: openAi(
      'Request too large for model `llama-3.3` on tokens per minute (TPM): Limit 6000, Requested 7000. Need more tokens? Upgrade at https://console.groq.com/settings/billing',
      'tokens',
      'rate_limit_exceeded'
    ),
    reason: 'rate_limited',
  },
  {
    service: 'Groq',
    says: 'a model that is gone',
    status: 400,
    body: openAi(
      'The model `mixtral` has been decommissioned.',
      'invalid_request_error',
      'model_decommissioned'
    ),
    reason: 'not_found',
  },
  {
    service: 'DeepSeek',
    says: 'no credit',
    status: 402,
    body: openAi('Insufficient Balance', 'unknown_error', 'invalid_request_error'),
    reason: 'billing',
  },
  {
    service: 'DeepSeek',
    says: 'too long, under a code that says nothing',
    status: 400,
    body: openAi(
      "This model's maximum context length is 131072 tokens. However, you requested 133034 tokens (125034 in the messages, 8000 in the completion).",
      'invalid_request_error',
      'invalid_request_error'
    ),
    reason: 'context_length',
  },
  {
    service: 'OpenRouter',
    says: 'no credit',
    status: 402,
    body: {
      error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' },
    },
    reason: 'billing',
  },
  {
    service: 'OpenRouter',
    says: 'what the service behind it said',
    status: 400,
    body: {
      error: {
        code: 400,
        message: 'Provider returned error',
        metadata: {
          provider_name: 'Acme',
          raw: '{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}',
        },
      },
    },
    reason: 'context_length',
  },
  {
    service: 'OpenRouter',
    says: 'a text that its filter refuses',
    status: 403,
    body: {
      error: {
        code: 403,
        message: 'Your input was flagged by OpenAI.',
        metadata: { reasons: ['violence'], flagged_input: 'my billing' },
      },
    },
    reason: 'bad_request',
  },
  {
    service: 'OpenRouter',
    says: 'a model that is not there',
    status: 400,
    body: { error: { code: 400, message: 'acme/large is not a valid model ID' }, user_id: 'u' },
    reason: 'not_found',
  },
  {
    service: 'Ollama',
    says: 'a model that is not there',
    status: 404,
    body: { error: "model 'llama9' not found" },
    reason: 'not_found',
  },
  {
    service: 'Ollama',
    says: 'too long',
    status: 500,
    body: { error: 'the input length exceeds the context length' },
    reason: 'context_length',
  },
  {
    service: 'llama.cpp',
    says: 'too long',
    status: 500,
    body: {
      error: {
        code: 500,
        message:
          'the request exceeds the available context size. try increasing the context size or enable context shift',
        type: 'exceed_context_size_error',
        n_prompt_tokens: 1407,
        n_ctx: 256,
      },
    },
    reason: 'context_length',
  },
  {
    service: 'LM Studio',
    says: 'too long',
    status: 400,
    body: {
      error:
        'Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context length of only 7866 tokens, which is not enough.',
    },
    reason: 'context_length',
  },
  {
    service: 'vLLM',
    says: 'too long',
    status: 400,
    body: {
      object: 'error',
      message:
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages.",
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
    reason: 'context_length',
  },
  {
    service: 'vLLM',
    says: 'too long, by the decoder',
    status: 400,
    body: {
      error: {
        message:
          'The decoder prompt (length 163840) is longer than the maximum model length of 131072. Make sure that `max_model_len` is no smaller.',
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    },
    reason: 'context_length',
  },
  {
    service: 'vLLM',
    says: 'a model that is not there',
    status: 404,
    body: {
      object: 'error',
      message: 'The model `large` does not exist.',
      type: 'NotFoundError',
      code: 404,
    },
    reason: 'not_found',
  },
  {
    service: 'LiteLLM',
    says: 'a budget that is used up, as an error of the key',
    status: 400,
    body: {
      error: {
        message: 'Budget has been exceeded! Current cost: 0.0010747, Max budget: 0.0',
        type: 'auth_error',
        param: null,
        code: 400,
      },
    },
    reason: 'billing',
  },
  {
    service: 'LiteLLM',
    says: 'a budget that is used up',
    status: 429,
    body: openAi('LiteLLM User: engineer-1, exceeded budget', 'budget_exceeded', '429'),
    reason: 'billing',
  },
  {
    service: 'LiteLLM',
    says: 'too long',
    status: 400,
    body: openAi(
      "litellm.BadRequestError: litellm.ContextWindowExceededError: OpenAIException - This model's maximum context length is 8192 tokens.",
      'None',
      '400'
    ),
    reason: 'context_length',
  },
  {
    service: 'LiteLLM',
    says: 'a wrong key',
    status: 401,
    body: openAi(
      'Authentication Error, Invalid proxy server token passed.',
      'token_not_found_in_db',
      '401'
    ),
    reason: 'unauthorized',
  },
  {
    service: 'Together',
    says: 'too long',
    status: 422,
    body: openAi(
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens; too many tokens',
      'invalid_request_error',
      null
    ),
    reason: 'context_length',
  },
  {
    service: 'xAI',
    says: 'a wrong key',
    status: 400,
    body: {
      code: 'Client specified an invalid argument',
      error:
        'Incorrect API key provided: xa***ys. You can obtain an API key from https://console.x.ai.',
    },
    reason: 'unauthorized',
  },
  {
    service: 'xAI',
    says: 'no credit, as a permission',
    status: 403,
    body: {
      code: 'The caller does not have permission to execute the specified operation',
      error:
        "Your newly created team doesn't have any credits yet. You can purchase credits on https://console.x.ai/team/1.",
    },
    reason: 'billing',
  },
  {
    service: 'xAI',
    says: 'no credit, as a limit',
    status: 429,
    body: {
      code: 'Some resource has been exhausted',
      error:
        'Your team 16f2 has either used all available credits or reached its monthly spending limit.',
    },
    reason: 'billing',
  },
  {
    service: 'xAI',
    says: 'too long',
    status: 400,
    body: {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
    reason: 'context_length',
  },
  {
    service: 'Cohere',
    says: 'a wrong key',
    status: 401,
    body: { id: '1', message: 'invalid api token' },
    reason: 'unauthorized',
  },
  {
    service: 'Cohere',
    says: 'too long',
    status: 400,
    body: {
      id: '1',
      message:
        'too many tokens: total number of tokens in the prompt cannot exceed 128000, received 140000.',
    },
    reason: 'context_length',
  },
  {
    service: 'Moonshot',
    says: 'no credit',
    status: 429,
    body: openAi(
      'Your account is suspended, please check your plan and billing details',
      'exceeded_current_quota_error',
      null
    ),
    reason: 'billing',
  },
  {
    service: 'Z.AI',
    says: 'no credit, as a limit',
    status: 429,
    body: {
      error: {
        code: '1113',
        message: 'Insufficient balance or no resource package. Please recharge.',
      },
    },
    reason: 'billing',
  },
  {
    service: "Z.AI, by Anthropic's API",
    says: 'no credit, as a limit',
    status: 429,
    body: {
      type: 'error',
      error: {
        type: 'rate_limit_error',
        code: '1113',
        message: '[1113][Insufficient balance or no resource package. Please recharge.]',
      },
    },
    reason: 'billing',
  },
  {
    service: 'Z.AI',
    says: 'a limit',
    status: 429,
    body: { error: { code: '1302', message: 'High concurrency usage of this API' } },
    reason: 'rate_limited',
  },
  {
    service: 'Z.AI',
    says: 'too long',
    status: 400,
    body: { error: { code: '1261', message: 'Prompt exceeds max length' } },
    reason: 'context_length',
  },
  {
    service: 'Z.AI',
    says: 'a model that is not there',
    status: 400,
    body: { error: { code: '1211', message: 'Unknown Model, please check the model code.' } },
    reason: 'not_found',
  },
  {
    service: 'Z.AI',
    says: 'a plan that has ended, as a limit',
    status: 429,
    body: { error: { code: '1309', message: 'Your GLM Coding Plan package has expired.' } },
    reason: 'billing',
  },
  {
    service: 'Z.AI',
    says: 'a locked account, as a limit',
    status: 429,
    body: { error: { code: '1112', message: 'Your account has been locked.' } },
    reason: 'unauthorized',
  },
  {
    service: 'OpenRouter',
    says: 'that the key has spent what it may',
    status: 403,
    body: {
      error: {
        code: 403,
        message:
          'Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys',
      },
    },
    reason: 'billing',
  },
  {
    service: 'Volcengine',
    says: 'no credit, as a refusal',
    status: 403,
    body: openAi(
      'The request failed because your account has an overdue balance. Request ID: 1',
      'Forbidden',
      'AccountOverdueError'
    ),
    reason: 'billing',
  },
  {
    service: 'Alibaba',
    says: 'that what was free is used up',
    status: 403,
    body: openAi(
      'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
      'AllocationQuota.FreeTierOnly',
      'AllocationQuota.FreeTierOnly'
    ),
    reason: 'billing',
  },
  {
    service: 'OpenAI',
    says: 'a country that it does not serve',
    status: 403,
    body: openAi(
      'Country, region, or territory not supported',
      'request_forbidden',
      'unsupported_country_region_territory'
    ),
    reason: 'bad_response',
  },
  {
    service: 'Bedrock',
    says: 'a limit, with a namespace',
    status: 400,
    body: { __type: 'com.amazon.coral.service#ThrottlingException', Message: 'Rate exceeded' },
    reason: 'rate_limited',
  },
  {
    service: 'Bedrock',
    says: 'too long',
    status: 400,
    body: { message: 'Input is too long for requested model.' },
    reason: 'context_length',
  },
  {
    service: 'Bedrock',
    says: 'a limit',
    status: 429,
    body: { __type: 'ThrottlingException', message: 'Too many requests, please wait.' },
    reason: 'rate_limited',
  },
  {
    service: 'a proxy',
    says: 'a page',
    status: 502,
    body: '<html><a href="/billing">insufficient credits</a></html>',
    reason: 'bad_response',
  },
  {
    service: 'a proxy',
    says: 'that the body is too large',
    status: 413,
    body: '<html>Request Entity Too Large</html>',
    reason: 'context_length',
  },
  {
    service: 'a proxy',
    says: 'that the gateway timed out',
    status: 504,
    body: '',
    reason: 'timeout',
  },
  {
    service: 'Anthropic',
    says: 'that the conversation and its answer do not fit',
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length or `max_tokens` and try again',
      },
    },
    reason: 'context_length',
  },
  {
    service: 'Alibaba',
    says: 'that the conversation is too long',
    status: 400,
    body: openAi(
      '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]',
      'invalid_request_error',
      'invalid_parameter_error'
    ),
    reason: 'context_length',
  },
  {
    service: 'Together',
    says: 'that the conversation is too long',
    status: 400,
    body: openAi(
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`',
      'invalid_request_error',
      null
    ),
    reason: 'context_length',
  },
  {
    service: 'SiliconFlow',
    says: 'that there is no credit left, as 403',
    status: 403,
    body: { code: 30001, message: 'Sorry, your account balance is insufficient', data: null },
    reason: 'billing',
  },
]
