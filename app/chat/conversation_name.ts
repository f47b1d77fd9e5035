import type { IncomingHttpHeaders } from 'node:http'

/** What beside the body of a request tells of its conversation. */
export interface Naming {
  headers?: IncomingHttpHeaders
  /** Whether `user` names a conversation, or only the account of a client's user. Left out: it does. */
  byUser?: boolean
}

/** Longer names are nobody's: they are hashed for the session's key all the same. */
const MOST_CHARACTERS = 1024

/**
 * The conversation that a request of OpenAI's shape names, or null for one that stands alone: by the header
 * `X-Conversation-Id`, by `metadata.conversation_id`, or by `user`.
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
