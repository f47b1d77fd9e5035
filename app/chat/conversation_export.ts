import type { ReadMessage } from '#chat/read_messages'

/** Names of the message authors in the headings of an export. */
const WRITERS: Record<ReadMessage['role'], string> = { user: 'You', assistant: 'Agent' }

const LEFT_OUT = '_Earlier messages are left out: this conversation is too long for one export._\n'

/** What an export contains of a message. */
export interface ExportedMessage extends Pick<ReadMessage, 'role' | 'text' | 'at'> {
  files: string[]
}

/** Returns what an export contains of a message: files by their names. */
export const exported = ({ role, text, at, attachments = [] }: ReadMessage): ExportedMessage => ({
  ...{ role, text, at },
  files: attachments.map(({ name }) => name),
})

/**
 * Returns a conversation as a Markdown document, oldest message first. The authors' own formatting is kept.
 *
 * @param isWhole whether the messages reach back to the beginning
 */
export function markdownOf(
  title: string | null,
  messages: ExportedMessage[],
  { isWhole }: { isWhole: boolean }
): string {
  const parts = messages.map(({ role, text, at, files }) => {
    const when = at.toISOString().slice(0, 16).replace('T', ' ')
    const told = [text.trim(), files.map((name) => `- Attached: ${name}`).join('\n')]
    return `## ${WRITERS[role]}, ${when} UTC\n\n${told.filter(Boolean).join('\n\n')}\n`
  })
  const heading = `# ${title ?? 'Untitled conversation'}\n`
  return [heading, ...(isWhole ? [] : [LEFT_OUT]), ...parts].join('\n')
}
