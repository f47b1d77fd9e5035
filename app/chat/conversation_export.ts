import type { ReadConversation } from '#chat/conversations'
import type { ReadMessage } from '#chat/read_messages'

/** Limits of an export: ten thousand messages, and their characters. It says that earlier ones are left out. */
const MOST_PARTS = 50
const MOST_CHARACTERS = 16_000_000

/** What a message, or one of its files, takes besides its text or its name, in characters. */
const COST = 256

/** Names of the message authors in the headings of an export. */
const WRITERS: Record<ReadMessage['role'], string> = { user: 'You', assistant: 'Agent' }

const LEFT_OUT = '_Earlier messages are left out: this conversation is too long for one export._\n'

/** What an export contains of a message. */
interface ExportedMessage extends Pick<ReadMessage, 'role' | 'text' | 'at'> {
  files: string[]
}

/** Returns what an export contains of a message: files by their names. */
const exported = ({ role, text, at, attachments = [] }: ReadMessage): ExportedMessage => ({
  ...{ role, text, at },
  files: attachments.map(({ name }) => name),
})

const costOf = ({ text, files }: ExportedMessage) =>
  files.reduce((sum, name) => sum + name.length + COST, text.length + COST)

type Page = Pick<ReadConversation, 'messages' | 'nextCursor'>

/** How an export gets at earlier pages. */
interface Older {
  read(cursor: string): Promise<Page>
  /** Whether no further page is to be read. */
  isLate(): boolean
}

/**
 * Returns a conversation as a Markdown document, from its latest page back.
 *
 * @throws whatever reading throws
 */
export async function markdownFrom(
  latest: Page & Pick<ReadConversation, 'title'>,
  older: Older
): Promise<string> {
  const parts: ExportedMessage[][] = []
  let characters = 0
  let { nextCursor }: Page = latest
  for (let page: Page = latest; ; page = await older.read(nextCursor)) {
    const messages = page.messages.map(exported)
    parts.unshift(messages)
    characters += messages.reduce((sum, message) => sum + costOf(message), 0)
    nextCursor = page.nextCursor
    const isFull = parts.length === MOST_PARTS || characters > MOST_CHARACTERS
    if (nextCursor === null || isFull || older.isLate()) break
  }
  return markdownOf(latest.title, parts.flat(), { isWhole: nextCursor === null })
}

/**
 * Returns a conversation as a Markdown document, oldest message first. The authors' own formatting is kept.
 *
 * @param isWhole whether the messages reach back to the beginning
 */
function markdownOf(
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
