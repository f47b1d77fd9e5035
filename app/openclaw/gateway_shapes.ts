import { objectIn, textIn, timeIn } from '#openclaw/gateway_fields'
import { shortened } from '#text/cut'

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

/** Keys, titles and previews of OpenClaw have well below this many characters. */
const TEXT_LENGTH = 2000

/** Longer than the names of providers and models. */
const NAME_LENGTH = 512

/** A list shows one line of each: titles and previews are cut to this many characters. */
const TITLE_LENGTH = 200
const PREVIEW_LENGTH = 300

/** Returns null if the session is not one of the agent's conversations. */
export function toSession(value: unknown): GatewaySession | null {
  const stored = objectIn(value)
  const text = (name: string, length = TEXT_LENGTH) => textIn(stored[name], length)
  const key = text('key')
  if (!key?.startsWith(PREFIX)) return null
  const [provider, model] = [text('modelProvider', NAME_LENGTH), text('model', NAME_LENGTH)]
  const name = key.slice(PREFIX.length)
  const titles = [text('label'), text('derivedTitle')]
  /** OpenClaw derives the bare key for a session that the method `agent` began. */
  const title = titles.find((one) => one !== undefined && one !== name && one !== key) ?? null
  const preview = text('lastMessagePreview') ?? null
  const isChosen = stored.modelOverrideSource === 'user' && provider && model
  return {
    key: name,
    title: title && shortened(title, TITLE_LENGTH),
    pinned: stored.pinned === true,
    preview: preview && shortened(preview, PREVIEW_LENGTH),
    updatedAt: new Date(timeIn(stored.lastInteractionAt) ?? timeIn(stored.updatedAt) ?? 0),
    ...(isChosen && { model: `${provider}/${model}` }),
  }
}

/** Fields of a session's texts. */
const TEXTS = ['key', 'label', 'derivedTitle', 'lastMessagePreview', 'modelProvider', 'model']

/** Returns the characters of a session's texts. A text cut from one of them keeps all of it in memory. */
export function lengthOfSession(value: unknown): number {
  const stored = objectIn(value)
  return TEXTS.reduce((sum, name) => sum + (textIn(stored[name], TEXT_LENGTH)?.length ?? 0), 0)
}
