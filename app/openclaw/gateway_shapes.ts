/**
 * The few fields that Mosaic reads of what a gateway answers. Everything is optional on arrival: a
 * newer OpenClaw may leave out or add what it likes.
 */

/** A conversation of an agent. */
export interface GatewaySession {
  /** As the chat endpoint takes it in `x-openclaw-session-key`. */
  key: string
  title: string | null
  pinned: boolean
  preview: string | null
  updatedAt: Date
}

/** One turn of a conversation, as text for a person. */
export interface GatewayMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: Date
}

/** OpenClaw keeps a session `K` of its one agent under this prefix. */
const PREFIX = 'agent:main:'

/** The key that OpenClaw itself uses for a conversation. */
export function storedKey(key: string): string {
  return `${PREFIX}${key}`
}

interface StoredSession {
  key?: string
  label?: string
  displayName?: string
  derivedTitle?: string
  lastMessagePreview?: string
  pinned?: boolean
  updatedAt?: number
}

/** Null for what is no conversation of the agent, or is not understood. */
export function toSession(stored: StoredSession): GatewaySession | null {
  if (!stored.key?.startsWith(PREFIX)) return null
  return {
    key: stored.key.slice(PREFIX.length),
    title: stored.label ?? stored.derivedTitle ?? null,
    pinned: stored.pinned === true,
    preview: stored.lastMessagePreview ?? null,
    updatedAt: new Date(stored.updatedAt ?? 0),
  }
}

interface StoredMessage {
  role?: string
  content?: string | { type?: string; text?: string }[]
  timestamp?: number
  __openclaw?: { id?: string }
}

/** Null for tool steps and what else is no text between the user and the agent. */
export function toMessage(stored: StoredMessage, index: number): GatewayMessage | null {
  if (stored.role !== 'user' && stored.role !== 'assistant') return null
  const text = textOf(stored.content)
  if (!text) return null
  return {
    id: stored.__openclaw?.id ?? String(index),
    role: stored.role,
    text,
    at: new Date(stored.timestamp ?? 0),
  }
}

function textOf(content: StoredMessage['content']): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .filter((part) => part.type === 'text')
    .map((part) => part.text ?? '')
    .join('')
}
