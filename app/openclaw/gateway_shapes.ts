/**
 * The few fields Mosaic reads from a gateway's responses. All are optional on arrival: a newer OpenClaw may
 * add or omit any.
 */

/** A conversation of an agent. */
export interface GatewaySession {
  /** The key in the form that the chat endpoint expects in `x-openclaw-session-key`. */
  key: string
  title: string | null
  pinned: boolean
  preview: string | null
  /** Time of the last message; changes to the session's settings do not count. */
  updatedAt: Date
  /** The model chosen for this session only, by the gateway's name. */
  model?: string
}

/** Prefix under which OpenClaw stores the sessions of its single agent. */
const PREFIX = 'agent:main:'

/** Returns OpenClaw's own key of a conversation. */
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

/** Returns null if the session is not one of the agent's conversations. */
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
