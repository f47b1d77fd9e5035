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
  /** The last message's time: what Mosaic or its owner change of a session is none. */
  updatedAt: Date
  /** The model that was chosen for it alone, as the gateway names it. */
  model?: string
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
  lastInteractionAt?: number
  modelProvider?: string
  model?: string
  modelOverrideSource?: string | null
}

/** Null for what is no conversation of the agent, or is not understood. */
export function toSession(stored: StoredSession): GatewaySession | null {
  if (!stored.key?.startsWith(PREFIX)) return null
  const { modelProvider, model, modelOverrideSource } = stored
  const isChosen = modelOverrideSource === 'user' && modelProvider && model
  return {
    key: stored.key.slice(PREFIX.length),
    title: stored.label ?? stored.derivedTitle ?? null,
    pinned: stored.pinned === true,
    preview: stored.lastMessagePreview ?? null,
    updatedAt: new Date(stored.lastInteractionAt ?? stored.updatedAt ?? 0),
    ...(isChosen && { model: `${modelProvider}/${model}` }),
  }
}
