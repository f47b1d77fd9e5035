import type { GatewayMessage } from '#openclaw/gateway_shapes'

/** Who wrote a message, as the headings of an export name them. */
const WRITERS: Record<GatewayMessage['role'], string> = { user: 'You', assistant: 'Agent' }

/** A conversation as a Markdown document, oldest message first. What its writers formatted stays as it is. */
export function markdownOf(title: string | null, messages: GatewayMessage[]): string {
  const parts = messages.map(({ role, text, at }) => {
    const when = at.toISOString().slice(0, 16).replace('T', ' ')
    return `## ${WRITERS[role]}, ${when} UTC\n\n${text.trim()}\n`
  })
  return [`# ${title ?? 'Untitled conversation'}\n`, ...parts].join('\n')
}
