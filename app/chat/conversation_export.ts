import type { ReadMessage } from '#chat/read_messages'

/** Who wrote a message, as the headings of an export name them. */
const WRITERS: Record<ReadMessage['role'], string> = { user: 'You', assistant: 'Agent' }

/** A conversation as a Markdown document, oldest message first. What its writers formatted stays as it is. */
export function markdownOf(title: string | null, messages: ReadMessage[]): string {
  const parts = messages.map(({ role, text, at }) => {
    const when = at.toISOString().slice(0, 16).replace('T', ' ')
    return `## ${WRITERS[role]}, ${when} UTC\n\n${text.trim()}\n`
  })
  return [`# ${title ?? 'Untitled conversation'}\n`, ...parts].join('\n')
}
