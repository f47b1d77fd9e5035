import { createHash, randomUUID } from 'node:crypto'

/**
 * Prefixes of session keys inside an agent. With the surface first, no name chosen by a client can reach the
 * agent's own namespaces (`subagent:`, `cron:`, `acp:`, `agent:`) or collide with a name made by Mosaic.
 */
const SURFACES = ['web', 'api'] as const
export type Surface = (typeof SURFACES)[number]

/** Names used unchanged: the gateway folds keys to lower case, so all others are rewritten. */
const PLAIN = /^[a-z0-9][a-z0-9._-]{0,63}$/

const SLUG_LENGTH = 40
const HASH_LENGTH = 16

/**
 * Returns a safe name for a conversation: short, lower case, without separators. Different names stay
 * different: a rewritten name carries a hash of the original.
 */
export function safeName(name: string): string {
  if (PLAIN.test(name)) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH)
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH)
    .replace(/^-|-$/g, '')
  return slug ? `${slug}.${hash}` : `x.${hash}`
}

/** Returns the session key that a request carries to the gateway. */
export function sessionKey(surface: Surface, name: string): string {
  return `${surface}:${safeName(name)}`
}

/**
 * Returns a key for a session that is used once. OpenClaw 2026.9.6 keeps sessions with such keys in memory
 * only: they are in no store or archive, and end with the gateway.
 */
export function passingKey(): string {
  return `agent:main:dashboard:incognito-${randomUUID()}`
}

/**
 * Returns the id for reading a conversation back: the bare name for the page's own, `api:<name>` for those
 * named by a client.
 */
function conversationId(surface: Surface, name: string): string {
  return surface === 'web' ? name : `${surface}:${name}`
}

/** Returns the session key of a conversation from its id, for the page and the API. */
export function sessionKeyOf(id: string): string {
  return id.startsWith('api:') ? sessionKey('api', id.slice('api:'.length)) : sessionKey('web', id)
}

/** Returns the conversation of a session, or null if it is not one of Mosaic's. */
export function conversationOf(key: string): { id: string; surface: Surface } | null {
  const surface = SURFACES.find((candidate) => key.startsWith(`${candidate}:`))
  if (!surface) return null
  const name = key.slice(surface.length + 1)
  return PLAIN.test(name) ? { id: conversationId(surface, name), surface } : null
}
