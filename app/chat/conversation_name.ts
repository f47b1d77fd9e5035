import type { IncomingHttpHeaders } from 'node:http'

/** What identifies a request's conversation, apart from its body. */
export interface Naming {
  headers?: IncomingHttpHeaders
  /** Whether `user` names a conversation rather than the account of a client's user. Default: true. */
  byUser?: boolean
}

/** Names are cut to this length: sensible ones are shorter, and session keys hash long ones anyway. */
const MOST_CHARACTERS = 1024

/**
 * Returns the conversation named by an OpenAI request, or null if it stands alone. Sources: the header
 * `X-Conversation-Id`, `metadata.conversation_id`, or `user`.
 */
export function conversationName(
  request: { user?: unknown; metadata?: unknown },
  { headers = {}, byUser = true }: Naming
): string | null {
  const metadata = (request.metadata ?? {}) as { conversation_id?: unknown }
  const names = [
    headers['x-conversation-id'],
    metadata.conversation_id,
    byUser ? request.user : undefined,
  ]
  for (const name of names) {
    const text = typeof name === 'string' ? name.trim() : ''
    if (text !== '') return text.slice(0, MOST_CHARACTERS)
  }
  return null
}
