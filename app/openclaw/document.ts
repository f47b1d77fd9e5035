import type { LlmAdapter, LlmModel } from '#llm/contract'
import type { AgentProfile } from '#models/types'
import { E_NO_PROVIDER } from '#openclaw/errors'
import { chooseModels, type ModelChoice } from '#openclaw/model_references'
import { fullProfile } from '#openclaw/profiles/full'
import { minimalProfile } from '#openclaw/profiles/minimal'
import { PRIMER, primerEntry } from '#openclaw/primer_model'
import type { OpenClawDocument, SecretReference } from '#openclaw/openclaw_document'

/** A provider of the agent's owner, with the adapter that knows its kind. */
export interface DocumentProvider {
  id: string
  name: string
  apiType: string
  models: LlmModel[]
  adapter: Pick<LlmAdapter, 'toOpenClaw'>
}

/** Everything that a document depends on. No secret is among it. */
export interface DocumentInput {
  profile: AgentProfile
  /** Where the agent finds the tools of what is known; left out, it gets none. */
  mcpUrl?: string
  /** Where the agent reaches the LLM relay, without a slash at the end; a provider's id follows. */
  relayUrl: string
  /** Active ones of the owner. Those without a model are left out. */
  providers: DocumentProvider[]
  /** References as `resolveModel` reads them. */
  primaryModel: string | null
  fallbackModels: string[]
  /** The default provider, for references that name none. */
  providerId: string | null
}

/** Control calls over HTTP (suspend, schedules, pairing), so that Mosaic needs no shell in the instance. */
const CONTROL_PLUGIN = 'admin-http-rpc'

const SECRETS = 'mosaic'
const GATEWAY_TOKEN: SecretReference = { source: 'file', provider: SECRETS, id: '/token' }

/** OpenAI's other API. Images and files come as data: an agent fetches no address that a message names. */
const RESPONSES = { enabled: true, images: { allowUrl: false }, files: { allowUrl: false } }

const LOG_BYTES = 5_000_000

/** How OpenClaw names the tools of the server `mosaic`. */
const KNOWLEDGE_TOOLS = ['mosaic__*']

/** Milliseconds after which OpenClaw drops a session's idle tools; without it, it keeps all of them. */
const MCP_IDLE_MS = 600_000

/**
 * The OpenClaw document of an agent. It holds no secret: the gateway token, which is also what the
 * agent shows to the LLM relay, is read from the secrets file.
 *
 * OpenClaw replaces `${NAME}` in every string of its document by the variable of its environment
 * (tried with 2026.9.6: the workspace, the secrets path and the log path start and serve). So one
 * document fits every runtime, wherever the state folder lies; the launcher exports
 * OPENCLAW_STATE_DIR and MOSAIC_SECRETS_FILE. The gateway's port and address are arguments of the
 * launcher, as they belong to the instance and not to the agent.
 *
 * @throws E_NO_PROVIDER when no given provider has a model
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
      /** Otherwise a process inside the instance pairs itself without anyone's consent. */
      nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
      /** On by default: a shell with the gateway's own environment. */
      terminal: { enabled: false },
    },
    agents: {
      defaults: {
        workspace: '${OPENCLAW_STATE_DIR}/workspace',
        skipBootstrap: true,
        model: { primary: reference(primary), fallbacks: fallbacks.map(reference) },
        /** A heartbeat would spend the owner's tokens while nobody asks. */
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
    /** By default all agents of a machine would log into one folder under /tmp. */
    logging: {
      file: '${OPENCLAW_STATE_DIR}/logs/gateway.log',
      maxFileBytes: LOG_BYTES,
      consoleLevel: 'warn',
    },
    update: { checkOnStart: false },
    discovery: { mdns: { mode: 'off' } },
    ...(input.mcpUrl && { mcp: knowledgeServer(input.mcpUrl) }),
    ...(input.profile === 'full'
      ? fullProfile(CONTROL_PLUGIN)
      : minimalProfile(entries.plugins, CONTROL_PLUGIN, input.mcpUrl ? KNOWLEDGE_TOOLS : [])),
  }
}

/** OpenClaw puts the token in from its environment: headers take no secret reference. */
function knowledgeServer(url: string): OpenClawDocument['mcp'] {
  const headers = { Authorization: 'Bearer ${MOSAIC_KNOWLEDGE_TOKEN}' }
  return {
    sessionIdleTtlMs: MCP_IDLE_MS,
    servers: { mosaic: { url, transport: 'streamable-http', headers } },
  }
}

/**
 * Each provider's entry, pointed at the LLM relay, the primer's beside them, and the plugins that they
 * need together.
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
 * A provider's models, and those that the owner chose without declaring them: then the service says
 * whether it knows the model, and the owner reads it, instead of another model answering in silence.
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

/** Two providers of one kind may ask for the same id; the later one takes its own name as well. */
function freeId(id: string, name: string, taken: object): string {
  if (!Object.hasOwn(taken, id)) return id
  return Object.hasOwn(taken, name) ? `${id}-${name}` : name
}
