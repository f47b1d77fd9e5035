import type { ApplicationService } from '@adonisjs/core/types'
import type { Archive } from '#knowledge/archive/archive'
import type { ArchiveIngestion } from '#knowledge/archive/archive_ingestion'
import type { ArchiveSettings } from '#knowledge/archive/archive_settings'
import type { DataKeys } from '#knowledge/data_keys'
import type { KnowledgeExport } from '#knowledge/export'
import type { Findings } from '#knowledge/findings'
import type { McpServer } from '#knowledge/mcp/server'
import type { AgentMemories } from '#knowledge/memory'
import type { KnowledgeQuota } from '#knowledge/quota'
import type { Tasks } from '#knowledge/tasks'
import type { UnreadableKnowledge } from '#knowledge/unreadable'
import type { FindingVectors } from '#knowledge/search/finding_vectors'
import type { WordIndex } from '#knowledge/search/word_index'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'knowledge.keys': DataKeys
    'knowledge.quota': KnowledgeQuota
    'knowledge.index': WordIndex
    'knowledge.vectors': FindingVectors
    'knowledge.findings': Findings
    'knowledge.memories': AgentMemories
    'knowledge.tasks': Tasks
    'knowledge.mcp': McpServer
    'knowledge.export': KnowledgeExport
    'knowledge.unreadable': UnreadableKnowledge
    'knowledge.archive': Archive
    'knowledge.archive_settings': ArchiveSettings
    'knowledge.archive_ingestion': ArchiveIngestion
  }
}

/** Registers what people and their agents know, and the keys that seal it. */
export default class KnowledgeProvider {
  #vectors: FindingVectors | null = null

  constructor(protected app: ApplicationService) {}

  /** Vectors of another model than the chosen one are of no use. */
  async boot() {
    const emitter = await this.app.container.make('emitter')
    emitter.on('agent:settings_changed', async ({ userId }) => {
      await (await this.app.container.make('knowledge.vectors')).modelChanged(userId)
    })
  }

  async shutdown() {
    await this.#vectors?.close()
  }

  register() {
    const { container } = this.app
    container.singleton('knowledge.keys', async () => {
      const { DataKeys } = await import('#knowledge/data_keys')
      return new DataKeys()
    })
    container.singleton('knowledge.quota', async (resolver) => {
      const { KnowledgeQuota } = await import('#knowledge/quota')
      return new KnowledgeQuota(await resolver.make('settings'))
    })
    container.singleton('knowledge.index', async () => {
      const { WordIndex } = await import('#knowledge/search/word_index')
      return new WordIndex()
    })
    container.singleton('knowledge.vectors', async (resolver) => {
      const { FindingVectors } = await import('#knowledge/search/finding_vectors')
      const { ExactVectorIndex } = await import('#knowledge/search/vector_index')
      this.#vectors = new FindingVectors(
        await resolver.make('knowledge.keys'),
        new ExactVectorIndex(),
        await resolver.make('llm_relay.embeddings'),
        await resolver.make('logger')
      )
      return this.#vectors
    })
    container.singleton('knowledge.findings', async (resolver) => {
      const { Findings } = await import('#knowledge/findings')
      const { FindingSearch } = await import('#knowledge/finding_search')
      const keys = await resolver.make('knowledge.keys')
      const index = await resolver.make('knowledge.index')
      const vectors = await resolver.make('knowledge.vectors')
      const finder = new FindingSearch(keys, index, vectors)
      return new Findings(keys, index, await resolver.make('knowledge.quota'), vectors, finder)
    })
    container.singleton('knowledge.memories', async (resolver) => {
      const { AgentMemories } = await import('#knowledge/memory')
      return new AgentMemories(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.quota')
      )
    })
    container.singleton('knowledge.tasks', async (resolver) => {
      const { Tasks } = await import('#knowledge/tasks')
      return new Tasks(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.quota')
      )
    })
    container.singleton('knowledge.mcp', async (resolver) => {
      const { McpServer } = await import('#knowledge/mcp/server')
      const knowledge = {
        findings: await resolver.make('knowledge.findings'),
        memories: await resolver.make('knowledge.memories'),
        tasks: await resolver.make('knowledge.tasks'),
      }
      return new McpServer(knowledge, async (userId, needs) => {
        const limits = await container.make('identity.limits')
        await limits.toolCall(userId, { isChange: needs === 'write' })
      })
    })
    container.singleton('knowledge.export', async (resolver) => {
      const { KnowledgeExport } = await import('#knowledge/export')
      return new KnowledgeExport({
        keys: await resolver.make('knowledge.keys'),
        findings: await resolver.make('knowledge.findings'),
        memories: await resolver.make('knowledge.memories'),
        tasks: await resolver.make('knowledge.tasks'),
      })
    })
    container.singleton('knowledge.unreadable', async (resolver) => {
      const { UnreadableKnowledge } = await import('#knowledge/unreadable')
      return new UnreadableKnowledge(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.index'),
        await resolver.make('knowledge.vectors')
      )
    })
    this.#registerArchive()
  }

  #registerArchive() {
    const { container } = this.app
    container.singleton('knowledge.archive_settings', async (resolver) => {
      const { ArchiveSettings } = await import('#knowledge/archive/archive_settings')
      return new ArchiveSettings(await resolver.make('audit'))
    })
    container.singleton('knowledge.archive', async (resolver) => {
      const { Archive } = await import('#knowledge/archive/archive')
      return new Archive(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.index'),
        await resolver.make('knowledge.archive_settings'),
        await resolver.make('settings')
      )
    })
    container.singleton('knowledge.archive_ingestion', async (resolver) => {
      const { ArchiveIngestion } = await import('#knowledge/archive/archive_ingestion')
      return new ArchiveIngestion(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.index'),
        await resolver.make('knowledge.archive_settings'),
        await resolver.make('knowledge.archive')
      )
    })
  }
}
