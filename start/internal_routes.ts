/**
 * Routes of the internal listener. Only agents call them, each with its own gateway token. The public
 * listener does not have them.
 */
import type { Router } from '@adonisjs/core/http'

const AgentDocumentsController = () => import('#controllers/internal/agent_documents_controller')
const McpController = () => import('#controllers/internal/mcp_controller')
const LlmRelayController = () => import('#controllers/internal/llm_relay_controller')

export function internalRoutes(router: Router): void {
  router
    .group(() => {
      router.get('agent-config/:containerType/:id', [AgentDocumentsController, 'show'])
      router.get('agent-config/:containerType/:id/files', [AgentDocumentsController, 'files'])
      router.any('mcp', [McpController, 'handle'])
      router.any('llm/:providerId/*', [LlmRelayController, 'handle'])
    })
    .prefix('api/internal')
    .access('agent')
}
