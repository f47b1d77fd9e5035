import type { LlmAdapter, LlmModel } from '#llm/contract'
import type { AgentProfile } from '#models/types'
import { E_NO_PROVIDER } from '#openclaw/errors'
import { chooseModels, type ModelChoice } from '#openclaw/model_references'
import { fullProfile } from '#openclaw/profiles/full'
import { minimalProfile } from '#openclaw/profiles/minimal'
import { PRIMER, primerEntry } from '#openclaw/primer_model'
import type { MemorySearch, OpenClawDocument, SecretReference } from '#openclaw/openclaw_document'

/** A provider of the agent's owner, with the adapter for its type. */
export interface DocumentProvider {
  id: string
  name: string
  apiType: string
  models: LlmModel[]
  adapter: Pick<LlmAdapter, 'toOpenClaw' | 'embed'>
}

/** Everything a document depends on. Contains no secrets. */
export interface DocumentInput {
  profile: AgentProfile
  /** URL of the knowledge tools; omitted if the agent gets none. */
  mcpUrl?: string
  /** URL of the LLM relay as the agent reaches it, without a trailing slash; a provider's id follows. */
  relayUrl: string
  /** The owner's active providers. Those without a model are ignored. */
  providers: DocumentProvider[]
  /** References in the form read by `resolveModel`. */
  primaryModel: string | null
  fallbackModels: string[]
  /** `<provider name>/<model id>`, which searches the agent's own notes; null or omitted for none. */
  embeddingModel?: string | null
  /** The default provider, for references that name none. */
  providerId: string | null
}

/**
 * Plugin for control calls over HTTP (suspend, schedules, pairing), so Mosaic needs no shell in the instance.
 */
const CONTROL_PLUGIN = 'admin-http-rpc'

const SECRETS = 'mosaic'
const GATEWAY_TOKEN: SecretReference = { source: 'file', provider: SECRETS, id: '/token' }

/** Reads PDFs that are sent with a message. It loads when the first arrives. */
const PDF_PLUGIN = 'document-extract'

/**
 * OpenAI's Responses API. Images and files must arrive as data: an agent fetches no URL named in a message.
 * Files may be as large as Mosaic takes them; OpenClaw's defaults are 5 MB, 60,000 characters and four pages.
 */
const RESPONSES = {
  enabled: true,
  images: { allowUrl: false },
  files: { allowUrl: false, maxBytes: 10_485_760, maxChars: 200_000, pdf: { maxPages: 40 } },
}

const LOG_BYTES = 5_000_000

/** Name pattern of the tools from the MCP server `mosaic`. */
const KNOWLEDGE_TOOLS = ['mosaic__*']

/** Milliseconds until OpenClaw drops a session's idle tools; without it, all of them are kept. */
const MCP_IDLE_MS = 600_000

/**
 * Milliseconds that a call of a tool may take: OpenClaw's default. Named, because OpenClaw otherwise gives up the list
 * of tools after 1.5 seconds, and a conversation that began while the machine was busy goes on without them.
 */
const MCP_CALL_MS = 60_000

/**
 * Assembles the OpenClaw document of an agent. It contains no secrets: the gateway token, which the agent
 * also presents to the LLM relay, is read from the secrets file.
 *
 * OpenClaw replaces `${NAME}` in every string of its document with that environment variable (verified with
 * 2026.9.6: the workspace, the secrets path and the log path start and serve). So one document fits every
 * runtime, wherever the state folder is; the launcher exports OPENCLAW_STATE_DIR and MOSAIC_SECRETS_FILE. The
 * gateway's port and address are launcher arguments, because they belong to the instance and not to the
 * agent.
 *
 * @throws E_NO_PROVIDER if no given provider has a model
 */
export function assembleDocument(input: DocumentInput): OpenClawDocument {
  const providers = input.providers.filter(({ models }) => models.length > 0)
  const [primary, ...fallbacks] = chooseModels(input, providers)
  if (!primary) throw new E_NO_PROVIDER()

  const entries = modelEntries(providers, [primary, ...fallbacks], input.relayUrl)
  const reference = ({ provider, modelId }: ModelChoice<DocumentProvider>) =>
    `${entries.ids.get(provider.id)}/${modelId}`

  return {
    gateway: {
      mode: 'local',
      auth: { mode: 'token', token: GATEWAY_TOKEN },
      http: { endpoints: { chatCompletions: { enabled: true }, responses: RESPONSES } },
      controlUi: { enabled: false },
      /** Otherwise a process inside the instance could pair itself without consent. */
      nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
      /** Enabled by default: a shell with the gateway's own environment. */
      terminal: { enabled: false },
    },
    agents: {
      defaults: {
        workspace: '${OPENCLAW_STATE_DIR}/workspace',
        skipBootstrap: true,
        model: { primary: reference(primary), fallbacks: fallbacks.map(reference) },
        /** A heartbeat would spend the owner's tokens while nobody uses the agent. */
        heartbeat: { every: '0m' },
      },
    },
    models: {
      mode: 'merge',
      catalogRefresh: { enabled: false },
      providers: entries.providers,
    },
    secrets: {
      providers: { [SECRETS]: { source: 'file', path: '${MOSAIC_SECRETS_FILE}', mode: 'json' } },
    },
    /** By default all agents on a machine would log to one folder under /tmp. */
    logging: {
      file: '${OPENCLAW_STATE_DIR}/logs/gateway.log',
      maxFileBytes: LOG_BYTES,
      consoleLevel: 'warn',
    },
    update: { checkOnStart: false },
    discovery: { mdns: { mode: 'off' } },
    ...(input.mcpUrl && { mcp: knowledgeServer(input.mcpUrl) }),
    ...(input.profile === 'full'
      ? fullProfile(CONTROL_PLUGIN, memorySearch(input))
      : minimalProfile(
          [...entries.plugins, PDF_PLUGIN],
          CONTROL_PLUGIN,
          input.mcpUrl ? KNOWLEDGE_TOOLS : []
        )),
  }
}

/** The search in the agent's own notes, at the LLM relay; undefined without a usable embedding model. */
function memorySearch(input: DocumentInput): MemorySearch | undefined {
  const { embeddingModel: reference, providers, relayUrl } = input
  const slash = reference?.indexOf('/') ?? -1
  const provider = providers.find(({ name }) => slash > 0 && name === reference!.slice(0, slash))
  if (!provider?.adapter.embed) return undefined
  return {
    enabled: true,
    provider: 'openai-compatible',
    model: reference!.slice(slash + 1),
    remote: { baseUrl: `${relayUrl}/${provider.id}`, apiKey: GATEWAY_TOKEN },
  }
}

/** OpenClaw inserts the token from its environment, because headers accept no secret references. */
function knowledgeServer(url: string): OpenClawDocument['mcp'] {
  const headers = { Authorization: 'Bearer ${MOSAIC_KNOWLEDGE_TOKEN}' }
  return {
    sessionIdleTtlMs: MCP_IDLE_MS,
    servers: {
      mosaic: { url, transport: 'streamable-http', headers, requestTimeoutMs: MCP_CALL_MS },
    },
  }
}

/**
 * Builds the entries of all providers, pointed at the LLM relay, plus the primer's, and lists the plugins
 * they need.
 */
function modelEntries(
  providers: DocumentProvider[],
  choices: ModelChoice<DocumentProvider>[],
  relayUrl: string
) {
  const ids = new Map<string, string>()
  const plugins = new Set<string>()
  const configs: OpenClawDocument['models']['providers'] = {
    [PRIMER.entryId]: { ...primerEntry(relayUrl), apiKey: GATEWAY_TOKEN },
  }

  for (const provider of providers) {
    const { id, name, apiType } = provider
    const models = withChosen(provider, choices)
    const endpoint = `${relayUrl}/${id}`
    const entry = provider.adapter.toOpenClaw({ id, name, apiType, models }, endpoint)
    const entryId = freeId(entry.id, name, configs)
    ids.set(id, entryId)
    configs[entryId] = { ...entry.config, apiKey: GATEWAY_TOKEN }
    for (const plugin of entry.plugins) plugins.add(plugin)
  }
  return { ids, providers: configs, plugins: [...plugins].toSorted() }
}

/**
 * Returns a provider's models, plus any that the owner chose without declaring them. So the service can
 * report that it does not know the model, instead of another model silently answering.
 */
function withChosen(
  provider: DocumentProvider,
  choices: ModelChoice<DocumentProvider>[]
): LlmModel[] {
  const undeclared = choices
    .filter((choice) => choice.provider === provider)
    .map(({ modelId }) => modelId)
    .filter((modelId) => provider.models.every(({ id }) => id !== modelId))
  return [...provider.models, ...undeclared.map((id) => ({ id, name: id }))]
}

/** Two providers of one type may request the same id; the later one then uses its own name. */
function freeId(id: string, name: string, taken: object): string {
  if (!Object.hasOwn(taken, id)) return id
  return Object.hasOwn(taken, name) ? `${id}-${name}` : name
}
