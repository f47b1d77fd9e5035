import { createHash, randomUUID } from 'node:crypto'

/**
 * How a conversation is named inside its agent. The surface comes first, so that no name which a client
 * chooses can reach the agent's own namespaces (`subagent:`, `cron:`, `acp:`, `agent:`), and a client's
 * names can never meet those that Mosaic makes.
 */
const SURFACES = ['web', 'api'] as const
export type Surface = (typeof SURFACES)[number]

/** The gateway folds keys to lower case, so only what survives that is used as it is. */
const PLAIN = /^[a-z0-9][a-z0-9._-]{0,63}$/

const SLUG_LENGTH = 40
const HASH_LENGTH = 16

/**
 * The name of a conversation, made safe: short, lower case, without separators. Different names stay
 * different: what had to be changed carries a hash of the original.
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

/** The key that a request carries to the gateway. */
export function sessionKey(surface: Surface, name: string): string {
  return `${surface}:${safeName(name)}`
}

/**
 * The key of a session that nobody comes back to. OpenClaw 2026.9.6 keeps sessions of such keys in memory alone:
 * they are in no store and no archive, and end with the gateway.
 */
export function passingKey(): string {
  return `agent:main:dashboard:incognito-${randomUUID()}`
}

/**
 * The id under which a conversation is read back: the name alone for the page's own, `api:<name>` for
 * those that a client named with `user`.
 */
function conversationId(surface: Surface, name: string): string {
  return surface === 'web' ? name : `${surface}:${name}`
}

/** The key of a conversation that the page or the API names by its id. */
export function sessionKeyOf(id: string): string {
  return id.startsWith('api:') ? sessionKey('api', id.slice('api:'.length)) : sessionKey('web', id)
}

/** The conversation that a session holds, or null where the session is none of Mosaic's. */
export function conversationOf(key: string): { id: string; surface: Surface } | null {
  const surface = SURFACES.find((candidate) => key.startsWith(`${candidate}:`))
  if (!surface) return null
  const name = key.slice(surface.length + 1)
  return PLAIN.test(name) ? { id: conversationId(surface, name), surface } : null
}
