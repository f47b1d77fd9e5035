import { hasCode } from '#drivers/error_code'
import type { LlmAdapter } from '#llm/contract'
import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import UserAgentConfig from '#models/user_agent_config'
import type { KnowledgeAccess } from '#models/types'
import { parseAgentName, type AgentName } from '#openclaw/agent_name'
import { assembleDocument, type DocumentInput, type DocumentProvider } from '#openclaw/document'
import { documentHash } from '#openclaw/document_hash'
import { E_UNKNOWN_AGENT } from '#openclaw/errors'
import { launchFiles, preloadFile, type LaunchFile } from '#openclaw/launch_files'
import type { OpenClawDocument } from '#openclaw/openclaw_document'

/** Everything an agent starts from. */
export interface AgentDocument {
  document: OpenClawDocument
  files: LaunchFile[]
  /** Covers the document and its files, but not the preload, which only takes effect at the next start. */
  hash: string
}

/** Returns the adapter of a provider's type, or throws E_UNKNOWN_PROVIDER_TYPE. */
export interface Adapters {
  get(type: string): LlmAdapter
}

interface Wishes extends Pick<
  DocumentInput,
  'profile' | 'primaryModel' | 'fallbackModels' | 'providerId' | 'embeddingModel'
> {
  knowledge: KnowledgeAccess
}

/** Assembles agents' documents from their rows. Only the hash is stored. */
export class AgentDocuments {
  constructor(
    protected adapters: Adapters,
    /** URL of the internal listener as agents reach it, without a trailing slash. */
    protected internalUrl: string,
    /** Source of a module preloaded by gateways; empty for none. */
    protected preload: () => Promise<string> = async () => ''
  ) {}

  /**
   * Returns an agent's document for the current rows.
   *
   * @throws E_NO_PROVIDER if its owner has no active provider with a model
   * @throws E_UNKNOWN_AGENT if the system agent does not exist
   */
  async forAgent(agent: AgentName): Promise<AgentDocument> {
    const { kind, id } = parseAgentName(agent)
    return kind === 'user' ? this.#forUser(id) : this.#forSystem(id)
  }

  async #forUser(userId: string): Promise<AgentDocument> {
    const config = await UserAgentConfig.ownedBy(userId).first()
    const providers = await LlmProvider.ownedBy(userId)
      .where('is_active', true)
      .orderBy('created_at')
      .orderBy('id')
    const wishes: Wishes = {
      profile: config?.profile ?? 'minimal',
      knowledge: config?.knowledge ?? 'off',
      primaryModel: config?.primaryModel ?? null,
      fallbackModels: config?.fallbackModels ?? [],
      providerId: config?.providerId ?? null,
      embeddingModel: config?.embeddingModel ?? null,
    }
    return this.#assemble(wishes, providers, config?.personality ?? null)
  }

  async #forSystem(id: string): Promise<AgentDocument> {
    const row = await SystemContainer.find(id)
    if (!row) throw new E_UNKNOWN_AGENT()
    const providers = row.providerId
      ? await LlmProvider.query().where({ id: row.providerId, is_active: true })
      : []
    const wishes: Wishes = {
      knowledge: 'off',
      profile: 'minimal',
      primaryModel: row.primaryModel,
      fallbackModels: [],
      providerId: row.providerId,
    }
    return this.#assemble(wishes, providers, `You are ${row.name}. Your role is ${row.role}.`)
  }

  async #assemble(
    wishes: Wishes,
    rows: LlmProvider[],
    personality: string | null
  ): Promise<AgentDocument> {
    const providers = rows.map((row) => this.#provider(row)).filter((row) => row !== null)
    const relayUrl = `${this.internalUrl}/api/internal/llm`
    const mcpUrl = wishes.knowledge === 'off' ? undefined : `${this.internalUrl}/api/internal/mcp`
    const document = assembleDocument({ ...wishes, relayUrl, mcpUrl, providers })
    const files = launchFiles(personality, wishes.knowledge)
    const hash = documentHash(document, files)
    return { document, files: [...files, preloadFile(await this.preload())], hash }
  }

  /** Skips a provider whose adapter was uninstalled, so that the agent can still use the others. */
  #provider({ id, name, type, apiType, models }: LlmProvider): DocumentProvider | null {
    try {
      return { id, name, apiType, models: models ?? [], adapter: this.adapters.get(type) }
    } catch (error) {
      if (hasCode(error, 'E_UNKNOWN_PROVIDER_TYPE')) return null
      throw error
    }
  }
}
