import type { ReadMessage } from '#chat/read_messages'

/** Names of the message authors in the headings of an export. */
const WRITERS: Record<ReadMessage['role'], string> = { user: 'You', assistant: 'Agent' }

/** What an export contains of a message. */
export type ExportedMessage = Pick<ReadMessage, 'role' | 'text' | 'at'>

/**
 * Returns a conversation as a Markdown document, oldest message first. The authors' own formatting is kept.
 */
export function markdownOf(title: string | null, messages: ExportedMessage[]): string {
  const parts = messages.map(({ role, text, at }) => {
    const when = at.toISOString().slice(0, 16).replace('T', ' ')
    return `## ${WRITERS[role]}, ${when} UTC\n\n${text.trim()}\n`
  })
  return [`# ${title ?? 'Untitled conversation'}\n`, ...parts].join('\n')
}
