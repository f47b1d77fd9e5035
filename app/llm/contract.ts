/**
 * An adapter holds all that Mosaic knows of one kind of LLM service. It describes its form, tests a
 * connection, writes the service's entry for an agent's document, and adds the key to a call. It keeps
 * no state, reads no row, and reaches the network only through the `fetch` it is given.
 */

/** The API families that an agent speaks, by OpenClaw's names. */
export type ApiType =
  'openai-completions' | 'openai-responses' | 'anthropic-messages' | 'ollama' | (string & {})

/**
 * One call that an agent may make to a service. `path` begins with a slash and must match the part after
 * the base address letter by letter; `{name}` stands for a value within one segment, as in
 * `/models/{model}:generateContent`. A query may follow.
 */
export interface ApiCall {
  method: 'GET' | 'POST'
  path: string
}

/** One model of a service. Sizes are in tokens. */
export interface LlmModel {
  id: string
  name: string
  contextWindow?: number
  maxTokens?: number
}

/** One field of the form that adds a provider of this kind. */
export interface LlmField {
  name: 'apiKey' | 'baseUrl' | 'apiType' | 'models'
  label: string
  required: boolean
  help?: string
  placeholder?: string
  /** For `apiType`: the choices. */
  options?: { value: string; label: string }[]
}

/** A provider as an adapter gets it: the row's values, with the key opened. */
export interface LlmConnection {
  /** The row's value, or the adapter's default. Without a trailing slash. */
  baseUrl: string
  apiKey: string | null
  apiType: ApiType
  models: LlmModel[]
}

/** The reasons why a connection fails: a closed list. `testConnection` of the kit maps an answer to them. */
export const CONNECTION_FAILURES = [
  /** 401, 403: the service refuses the key. */
  'unauthorized',
  /** 404, 405, 501: a server answers, but this API is not under the path. */
  'not_found',
  /** 429, or 402: too many requests, or no credit. A call of an agent that ends with 402 reads `billing`. */
  'rate_limited',
  'timeout',
  /** No connection: no such host, refused, or a certificate that is not trusted. */
  'unreachable',
  /** `fetch` rejected with E_BLOCKED_ADDRESS. */
  'blocked_address',
  /**
   * Any other status, another JSON, or no HTTP at all: undici rejects with an error of the code `HPE_…`, or
   * of the name `HTTPParserError`.
   */
  'bad_response',
] as const
export type ConnectionFailure = (typeof CONNECTION_FAILURES)[number]

/** Why a service refused a call of an agent: a closed list. Mosaic answers the agent by it. */
export const CALL_FAILURES = [
  'unauthorized',
  'billing',
  'rate_limited',
  'not_found',
  'bad_request',
  'context_length',
  'bad_response',
] as const
export type CallFailure = (typeof CALL_FAILURES)[number]

/** What an adapter reads from a service's error. `message` is the service's own sentence for a person. */
export interface ServiceError {
  reason: CallFailure
  message?: string
}

/** The result of a connection test. `message` is a sentence for a person, without the key. */
export type ConnectionTest =
  | { ok: true; latencyMs: number; models: LlmModel[] }
  | {
      ok: false
      latencyMs: number
      models: LlmModel[]
      reason: ConnectionFailure
      message: string
    }

/** `fetch`, guarded: see `#llm/guarded_fetch`. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** The means of a connection test. */
export interface TestOptions {
  fetch: Fetch
  /** Carries the deadline: a `TimeoutError` becomes the result `timeout`; any other reason is thrown. */
  signal: AbortSignal
}

/** The fields of a provider that determine its entry in the document. `name` is unique per owner. */
export interface OpenClawProvider {
  id: string
  name: string
  apiType: ApiType
  models: LlmModel[]
}

/** A provider's entry in an agent's document. */
export interface OpenClawEntry {
  /** Its id under `models.providers`: `mosaic-<provider name>`, by which the model picker finds its models. */
  id: string
  /** The value of that entry, without `apiKey`: the document adds the agent's own. */
  config: { baseUrl: string; api: ApiType; models: Record<string, unknown>[] } & Record<
    string,
    unknown
  >
  /** OpenClaw plugins that must be allowed for it. */
  plugins: string[]
}

export interface LlmAdapter {
  /** The value of a provider's `type`. Unique; a provider row names its adapter by it. */
  readonly type: string
  /** The name that people see. */
  readonly label: string
  /** One sentence for the form: what the service is and where to get a key. */
  readonly description: string
  readonly defaults: {
    /** Null if there is no default, so the user must enter one. */
    baseUrl: string | null
    apiType: ApiType
    /** Proposed to the user before a test has found the real ones. */
    models: LlmModel[]
  }
  /** The fields of its form, in order. The form asks for no others. */
  readonly fields: LlmField[]

  /**
   * Calls the real service: lists its models, or requests one token if it has no list.
   * A bad answer is a result, not an exception; only `signal` throws. A failure has no models; a success
   * has the models that the service lists, or the declared ones.
   */
  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest>

  /**
   * Returns its entry in the document. The agent calls `endpoint` instead of the service, and Mosaic
   * appends the path and query after it to `baseUrl`. A pure function: equal input, equal entry.
   */
  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry

  /**
   * Normalises a base address that a person typed, for example by removing a superfluous `/v1`.
   * Called before an address is stored or tested, without a trailing slash.
   */
  tidyBaseUrl?(baseUrl: string): string

  /**
   * Returns the calls that an agent may make by this API family; no other call reaches the service with
   * its key. If the method is missing or returns undefined, the calls that `#llm/api_calls` knows for the
   * family apply; for a family it does not know, no call passes. A pure function.
   */
  calls?(apiType: ApiType): ApiCall[] | undefined

  /**
   * Adds headers that the service wants with each call of an agent, beside the key: a version, the name of the
   * application. Called before `authorize`, with a key or without. A pure function.
   */
  headers?(headers: Headers): void

  /**
   * Reads an error of the service that has a form of its own: its status (300 or more) and the beginning of its
   * body as text. Null, or a missing method, leaves it to Mosaic, which knows the usual forms. A pure function.
   */
  readError?(answer: { status: number; body: string }): ServiceError | null

  /** Writes the key into the headers that the service expects. */
  authorize(headers: Headers, apiKey: string): void

  /**
   * Answers an agent's call itself, for an adapter without a service behind it. If the method is missing,
   * the call goes to `baseUrl`. `path` begins with a slash, `body` is the parsed JSON or undefined.
   * The answer may stream, and ends when `signal` does.
   */
  respond?(call: { path: string; body: unknown; signal: AbortSignal }): Promise<Response>
}
