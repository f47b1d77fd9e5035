import { objectIn, textIn, timeIn } from '#openclaw/gateway_fields'

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

/** OpenClaw cuts titles and previews well below this many characters. */
const TEXT_LENGTH = 2000

/** Returns null if the session is not one of the agent's conversations. */
export function toSession(value: unknown): GatewaySession | null {
  const stored = objectIn(value)
  const text = (name: string) => textIn(stored[name], TEXT_LENGTH)
  const key = text('key')
  if (!key?.startsWith(PREFIX)) return null
  const [provider, model] = [text('modelProvider'), text('model')]
  const name = key.slice(PREFIX.length)
  const titles = [text('label'), text('derivedTitle')]
  const isChosen = stored.modelOverrideSource === 'user' && provider && model
  return {
    key: name,
    /** OpenClaw derives the bare key for a session that the method `agent` began. */
    title: titles.find((title) => title !== undefined && title !== name && title !== key) ?? null,
    pinned: stored.pinned === true,
    preview: text('lastMessagePreview') ?? null,
    updatedAt: new Date(timeIn(stored.lastInteractionAt) ?? timeIn(stored.updatedAt) ?? 0),
    ...(isChosen && { model: `${provider}/${model}` }),
  }
}
