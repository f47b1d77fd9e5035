import app from '@adonisjs/core/services/app'
import type { AgentDocuments } from '#openclaw/documents'
import type { AgentTokens } from '#openclaw/agent_tokens'
import type { GatewayClient } from '#openclaw/gateway_client'
import type { ServedDocuments } from '#openclaw/served_documents'

let documents: AgentDocuments
let servedDocuments: ServedDocuments
let agentTokens: AgentTokens
let gateway: GatewayClient

/** Services created for this application by `providers/openclaw_provider.ts`. */
await app.booted(async () => {
  documents = await app.container.make('openclaw.documents')
  servedDocuments = await app.container.make('openclaw.served_documents')
  agentTokens = await app.container.make('openclaw.tokens')
  gateway = await app.container.make('openclaw.gateway')
})

export { documents as default, servedDocuments, agentTokens, gateway }
