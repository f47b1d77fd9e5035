import type { ServerResponse } from 'node:http'
import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import { may, type Permission } from '#identity/permissions'

/** How long someone who was sent out may still hear events, in milliseconds. */
const LOOK_EVERY_MS = 10_000

/** Rows asked for at a time. */
const BATCH = 500

/** Who listens to events, and by which proof of who they are. */
export interface Listener {
  userId: string
  /** What the events are only for; null for one's own. */
  permission: Permission | null
  sessionId: string | null
  tokenId: string | null
}

type After = (ms: number, look: () => void) => void

const afterInBackground: After = (ms, look) => void setTimeout(look, ms).unref()

/**
 * Those who listen to events. Nobody asks a stream again who reads it, and it may stay open for days, so
 * as long as anybody listens it is looked at who still may: a session or a token that was revoked, a
 * deactivation and a role that was taken away end what they opened.
 */
export class Listeners {
  readonly #open = new Map<ServerResponse, Listener>()
  #isPlanned = false

  constructor(protected after: After = afterInBackground) {}

  /** Until the connection closes. */
  add(listener: Listener, response: ServerResponse): void {
    if (response.closed) return
    this.#open.set(response, listener)
    response.once('close', () => this.#open.delete(response))
    this.#plan()
  }

  /** Ends the answers to those who may listen no longer. Returns how many there were. */
  async look(): Promise<number> {
    let ended = 0
    const all = [...this.#open]
    for (let at = 0; at < all.length; at += BATCH) {
      const some = all.slice(at, at + BATCH)
      const isIn = await whoIsIn(some.map(([, listener]) => listener))
      for (const [response] of some.filter(([, listener]) => !isIn(listener))) {
        response.destroy()
        ended++
      }
    }
    return ended
  }

  #plan(): void {
    if (this.#isPlanned || this.#open.size === 0) return
    this.#isPlanned = true
    this.after(LOOK_EVERY_MS, () => {
      this.#isPlanned = false
      /** A database that is away for a moment sends nobody out. */
      void this.look()
        .catch(() => {})
        .finally(() => this.#plan())
    })
  }
}

async function whoIsIn(listeners: Listener[]): Promise<(listener: Listener) => boolean> {
  const named = (name: 'userId' | 'sessionId' | 'tokenId') =>
    listeners.flatMap((listener) => listener[name] ?? [])
  const rows = await User.query().whereIn('id', named('userId')).whereNull('deactivated_at')
  const users = new Map(rows.map((user) => [user.id, user]))
  const sessions = await idsOf('sessions', named('sessionId'))
  const tokens = await idsOf('auth_access_tokens', named('tokenId'))
  return ({ userId, permission, sessionId, tokenId }) => {
    const user = users.get(userId)
    if (!user || (permission && !may(user, permission))) return false
    return tokenId !== null ? tokens.has(tokenId) : sessions.has(sessionId ?? '')
  }
}

/** Those of the rows that are there and not out of date. */
async function idsOf(table: string, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows: { id: string | number }[] = await db
    .from(table)
    .select('id')
    .whereIn('id', ids)
    .where((lasting) => lasting.whereNull('expires_at').orWhere('expires_at', '>', new Date()))
  return new Set(rows.map(({ id }) => String(id)))
}
