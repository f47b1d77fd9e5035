import { ownModelName } from '#chat/own_model_name'
import { titleLine } from '#chat/read_messages'
import { conversationOf, type Surface } from '#chat/session_key'
import { shownTitle } from '#chat/titles'
import type { GatewayClient } from '#openclaw/gateway_client'

/** A conversation in the list. */
export interface Conversation {
  id: string
  /** Where it began: on the page, or in a client that named it. */
  surface: Surface
  title: string | null
  pinned: boolean
  /** Start of the last message. */
  preview: string | null
  updatedAt: Date
  /** The model chosen for this conversation only, as `<provider>/<model>`. */
  model?: string | null
}

type Session = Awaited<ReturnType<GatewayClient['sessions']>>[number]

/** Returns the conversations among an agent's sessions, in their order. */
export function conversationsIn(sessions: Session[]): Conversation[] {
  return sessions.flatMap(({ key, model, ...session }) => {
    const conversation = conversationOf(key)
    if (!conversation) return []
    const { title, preview } = session
    return [
      {
        ...conversation,
        ...session,
        title: shownTitle(title),
        preview: preview && titleLine(preview),
        ...(model && { model: ownModelName(model) }),
      },
    ]
  })
}
