/**
 * An adapter holds everything that Mosaic knows about one kind of LLM service. It describes its form, tests a
 * connection, writes the service's entry for an agent's document, and adds the key to a call. It is stateless,
 * reads no rows, and uses the network only through the given `fetch`.
 */

/** API families that an agent speaks, by OpenClaw's names. */
export type ApiType =
  'openai-completions' | 'openai-responses' | 'anthropic-messages' | 'ollama' | (string & {})

/**
 * One call that an agent may make to a service. `path` begins with a slash and must equal the part after the
 * base URL; `{name}` stands for a value within one segment, as in `/models/{model}:generateContent`. A query
 * may follow.
 */
export interface ApiCall {
  method: 'GET' | 'POST'
  path: string
  /** Set on a call that consumes no tokens, although its answer names some. */
  isFree?: boolean
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

/** A provider as an adapter receives it: the row's values, with the key opened. */
export interface LlmConnection {
  /** The row's value, or the adapter's default. No trailing slash. */
  baseUrl: string
  apiKey: string | null
  apiType: ApiType
  models: LlmModel[]
}

/** Reasons why a connection fails: a closed list. The kit's `testConnection` maps responses to them. */
export const CONNECTION_FAILURES = [
  /** 401, 403: the service refuses the key. */
  'unauthorized',
  /** 404, 405, 501: a server answers, but this API is not under the path. */
  'not_found',
  /** 429, or 402: too many requests, or no credit. For an agent's call, 402 means `billing`. */
  'rate_limited',
  'timeout',
  /** No connection: no such host, refused, or a certificate that is not trusted. */
  'unreachable',
  /** `fetch` rejected with E_BLOCKED_ADDRESS. */
  'blocked_address',
  /**
   * Any other status, JSON of another shape, or no HTTP at all: undici rejects with a code `HPE_…`, or with the
   * error name `HTTPParserError`.
   */
  'bad_response',
] as const
export type ConnectionFailure = (typeof CONNECTION_FAILURES)[number]

/**
 * Reasons why a service refuses an agent's call: a closed list. Mosaic's response to the agent depends on it.
 */
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

/**
 * The parts that an adapter reads from a service's error. `message` is the service's own sentence for a person; the
 * sentence that Mosaic reads is the default.
 */
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

/** Texts to turn into vectors. */
export interface EmbeddingInput {
  /** A model of the service that makes embeddings. */
  model: string
  /** At least one text, none of them empty. */
  texts: string[]
}

/** The result of `embed`: one vector per text in the same order, all of the same length. */
export type Embeddings =
  | {
      ok: true
      vectors: number[][]
      /** The tokens that the service charges for; null if it does not say. */
      tokens: number | null
    }
  | { ok: false; reason: ConnectionFailure; message: string }

/**
 * `fetch` as Mosaic gives it to an adapter: it calls only allowed addresses, and returns redirects instead of following
 * them. Rejects with E_BLOCKED_ADDRESS for a forbidden address, with a `TimeoutError` at its deadline, with the reason
 * of `init.signal`, and otherwise like `fetch`. Tests get one from `createGuardedFetch`.
 */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** Inputs of a connection test, and of `embed`. */
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
  /** ID under `models.providers`: `mosaic-<provider name>`. The model picker finds its models by it. */
  id: string
  /** The entry's value, without `apiKey`: the document adds the agent's own. */
  config: { baseUrl: string; api: ApiType; models: Record<string, unknown>[] } & Record<
    string,
    unknown
  >
  /** OpenClaw plugins that the entry needs. */
  plugins: string[]
}

export interface LlmAdapter {
  /** The value of a provider's `type`. Unique; provider rows name their adapter by it. */
  readonly type: string
  /** Name shown to people. */
  readonly label: string
  /** One sentence for the form: what the service is, and where to get a key. */
  readonly description: string
  readonly defaults: {
    /** Null if there is no default, so that the user must enter one. */
    baseUrl: string | null
    apiType: ApiType
    /** Suggested to the user until a test has found the real ones. */
    models: LlmModel[]
  }
  /** The form's fields, in order. */
  readonly fields: LlmField[]

  /**
   * Calls the real service: lists its models, or requests one token if it has no list. A bad response is a
   * result, not an exception; only `signal` throws. A failure has no models; a success has the models that the
   * service lists, or the declared ones.
   */
  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest>

  /**
   * Returns its entry in the document. The agent calls `endpoint` instead of the service, and Mosaic appends
   * the path and query after it to `baseUrl`. Pure: equal input, equal entry.
   */
  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry

  /**
   * Normalises a base URL that a person typed, for example by removing a superfluous `/v1`. Called before a URL
   * is stored or tested, without a trailing slash.
   */
  tidyBaseUrl?(baseUrl: string): string

  /**
   * Returns the calls that an agent may make in this API family; no other call reaches the service with its
   * key. If the method is missing or returns undefined, the calls that Mosaic knows of the family apply; an unknown
   * family allows no call. Pure.
   */
  calls?(apiType: ApiType): ApiCall[] | undefined

  /**
   * Adds headers that the service requires with each call of an agent, besides the key: a version, the
   * application's name. Called before `authorize`, with or without a key. Pure.
   */
  headers?(headers: Headers): void

  /**
   * Parses an error in the service's own format: its status (300 or more) and at most the first 65,536 bytes of its
   * body as text, from which Mosaic has removed the key. Null, an exception, a reason outside the list, or a missing
   * method leaves it to Mosaic, which knows the usual formats. Not called for an error within an answer of status 200.
   * Pure.
   */
  readError?(answer: { status: number; body: string }): ServiceError | null

  /** Writes the key into the headers that the service expects. */
  authorize(headers: Headers, apiKey: string): void

  /**
   * Turns texts into vectors, for search by meaning. If the method is missing, the service makes no embeddings. A bad
   * response is a result, not an exception; only `signal` throws. Every vector has finite numbers and is not zero.
   */
  embed?(
    connection: LlmConnection,
    input: EmbeddingInput,
    options: TestOptions
  ): Promise<Embeddings>

  /**
   * Answers an agent's call itself, for an adapter without a service behind it. If the method is missing, the
   * call goes to `baseUrl`. `path` begins with a slash; `body` is the parsed JSON or undefined. The response
   * may stream, and ends when `signal` aborts.
   */
  respond?(call: { path: string; body: unknown; signal: AbortSignal }): Promise<Response>
}
