import type { GatewayAccess } from '#agents/types'
import { conversationOf, sessionKeyOf } from '#chat/session_key'
import type { ConversationSource } from '#knowledge/archive/archive_ingestion'
import type { GatewayClient } from '#openclaw/gateway_client'

/** Reads a running agent's conversations from its gateway for the archive, without counting as use. */
export function archiveSource(
  gateway: Pick<GatewayClient, 'sessions' | 'history'>,
  { url, token }: GatewayAccess
): ConversationSource {
  return {
    async list() {
      const sessions = await gateway.sessions(url, token)
      return sessions.flatMap(({ key, title, updatedAt }) => {
        const conversation = conversationOf(key)
        return conversation ? [{ id: conversation.id, title, updatedAt }] : []
      })
    },
    read(id, cursor) {
      return gateway.history(url, token, sessionKeyOf(id), { cursor })
    },
  }
}
