import type { ApplicationService } from '@adonisjs/core/types'
import type { AgentDocuments } from '#openclaw/documents'
import type { AgentTokens } from '#openclaw/agent_tokens'
import type { GatewayClient } from '#openclaw/gateway_client'
import type { ServedDocuments } from '#openclaw/served_documents'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'openclaw.documents': AgentDocuments
    'openclaw.served_documents': ServedDocuments
    'openclaw.tokens': AgentTokens
    'openclaw.gateway': GatewayClient
  }
}

/** Registers what Mosaic knows of OpenClaw. */
export default class OpenclawProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('openclaw.documents', async (resolver) => {
      const { AgentDocuments } = await import('#openclaw/documents')
      const internal = this.app.config.get<{ url: string }>('internal')
      return new AgentDocuments(await resolver.make('llm.registry'), internal.url)
    })
    this.app.container.singleton('openclaw.served_documents', async (resolver) => {
      const { ServedDocuments } = await import('#openclaw/served_documents')
      return new ServedDocuments(await resolver.make('openclaw.documents'))
    })
    this.app.container.singleton('openclaw.tokens', async () => {
      const { AgentTokens } = await import('#openclaw/agent_tokens')
      return new AgentTokens()
    })
    this.app.container.singleton('openclaw.gateway', async () => {
      const { GatewayClient } = await import('#openclaw/gateway_client')
      return new GatewayClient()
    })
  }
}
