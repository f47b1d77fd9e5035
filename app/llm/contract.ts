/**
 * What Mosaic knows of one kind of LLM service. An adapter describes itself to the form, tests a
 * connection, says how the service appears in an agent's document, and how it wants its key. It keeps
 * no state, reads no row, and reaches the network only through the `fetch` it is given.
 */

/** The API families that an agent speaks, by OpenClaw's names. */
export type ApiType =
  'openai-completions' | 'openai-responses' | 'anthropic-messages' | 'ollama' | (string & {})

/**
 * One call that an agent may make to a service. `path` begins with a slash and is compared letter by letter
 * with what follows the base address; `{name}` stands for a value within one segment, as in
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
  /** For `apiType`: what may be chosen. */
  options?: { value: string; label: string }[]
}

/** A provider as it reaches an adapter: the row's values, the key opened. */
export interface LlmConnection {
  /** The row's own, or the adapter's default. Without a slash at the end. */
  baseUrl: string
  apiKey: string | null
  apiType: ApiType
  models: LlmModel[]
}

/** Why a connection does not work: a closed list. */
export const CONNECTION_FAILURES = [
  'unauthorized',
  'not_found',
  'rate_limited',
  'timeout',
  'unreachable',
  'blocked_address',
  'bad_response',
] as const
export type ConnectionFailure = (typeof CONNECTION_FAILURES)[number]

/** What a test of a connection found. `message` is a sentence for a person, without the key. */
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

/** What a test of a connection runs with. */
export interface TestOptions {
  fetch: Fetch
  /** Carries the deadline: a `TimeoutError` is a result (`timeout`), any other end is thrown. */
  signal: AbortSignal
}

/** A provider, as far as its entry in the document depends on it. `name` is unique for its owner. */
export interface OpenClawProvider {
  id: string
  name: string
  apiType: ApiType
  models: LlmModel[]
}

/** How a provider stands in an agent's document. */
export interface OpenClawEntry {
  /** Its id under `models.providers`, unique within the document. */
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
  /** Its name for a person. */
  readonly label: string
  /** One sentence for the form: what it is and where its key comes from. */
  readonly description: string
  readonly defaults: {
    /** Null where there is none, so the user must say. */
    baseUrl: string | null
    apiType: ApiType
    /** Proposed to the user before a test has found the real ones. */
    models: LlmModel[]
  }
  /** The fields of its form, in order. What is not listed is not asked. */
  readonly fields: LlmField[]

  /**
   * Really calls the service: lists its models, or asks for one token where it has no list.
   * A service that does not answer rightly is a result, not an exception; only `signal` throws. The
   * models of a failure are empty, those of a success are what the service has, or what was declared.
   */
  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest>

  /**
   * Its entry in the document. `endpoint` is what the agent calls instead of the service: the path and
   * query that follow it are appended to `baseUrl`. A pure function: equal input, equal entry.
   */
  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry

  /**
   * The base address the way this kind wants it, from how people write it: with a `/v1` too much, say.
   * Called before an address is stored or tested, without a slash at the end.
   */
  tidyBaseUrl?(baseUrl: string): string

  /**
   * The calls that an agent may make by this API family: nothing else reaches the service with its key.
   * Where it is missing, or answers undefined, the calls of the families that `#llm/api_calls` knows apply;
   * of a family that is not among them nothing passes. A pure function.
   */
  calls?(apiType: ApiType): ApiCall[] | undefined

  /** Writes the key into the headers the way the service wants it. */
  authorize(headers: Headers, apiKey: string): void

  /**
   * Answers an agent's call itself, for an adapter without a service behind it. Where it is missing,
   * the call goes to `baseUrl`. `path` begins with a slash, `body` is the parsed JSON or undefined.
   * The answer may stream, and ends when `signal` does.
   */
  respond?(call: { path: string; body: unknown; signal: AbortSignal }): Promise<Response>
}
