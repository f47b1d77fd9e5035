import type { ApplicationService } from '@adonisjs/core/types'
import type { Archive } from '#knowledge/archive/archive'
import type { ArchiveIngestion } from '#knowledge/archive/archive_ingestion'
import type { ArchiveSettings } from '#knowledge/archive/archive_settings'
import type { DataKeys } from '#knowledge/data_keys'
import type { Findings } from '#knowledge/findings'
import type { McpServer } from '#knowledge/mcp/server'
import type { AgentMemories } from '#knowledge/memory'
import type { KnowledgeQuota } from '#knowledge/quota'
import type { Tasks } from '#knowledge/tasks'
import type { WordIndex } from '#knowledge/search/word_index'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'knowledge.keys': DataKeys
    'knowledge.quota': KnowledgeQuota
    'knowledge.index': WordIndex
    'knowledge.findings': Findings
    'knowledge.memories': AgentMemories
    'knowledge.tasks': Tasks
    'knowledge.mcp': McpServer
    'knowledge.archive': Archive
    'knowledge.archive_settings': ArchiveSettings
    'knowledge.archive_ingestion': ArchiveIngestion
  }
}

/** Registers what people and their agents know, and the keys that seal it. */
export default class KnowledgeProvider {
  constructor(protected app: ApplicationService) {}

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
    container.singleton('knowledge.findings', async (resolver) => {
      const { Findings } = await import('#knowledge/findings')
      return new Findings(
        await resolver.make('knowledge.keys'),
        await resolver.make('knowledge.index'),
        await resolver.make('knowledge.quota')
      )
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
      return new McpServer({
        findings: await resolver.make('knowledge.findings'),
        memories: await resolver.make('knowledge.memories'),
        tasks: await resolver.make('knowledge.tasks'),
      })
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
