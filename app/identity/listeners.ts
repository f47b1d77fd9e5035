import type { ServerResponse } from 'node:http'
import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import type { Sessions } from '#identity/sessions'
import { may, type Permission } from '#identity/permissions'

/** Longest time, in milliseconds, for which someone who lost access still receives events. */
const LOOK_EVERY_MS = 10_000

/** Rows per query. */
const BATCH = 500

/** A subscriber to events, and the proof of its identity. */
export interface Listener {
  userId: string
  /** The permission that the events require; null for a user's own events. */
  permission: Permission | null
  sessionId: string | null
  tokenId: string | null
}

type After = (ms: number, look: () => void) => void

const afterInBackground: After = (ms, look) => void setTimeout(look, ms).unref()

/**
 * Subscribers to event streams. Nothing re-authorises an open stream, and it may stay open for days. So while
 * there are subscribers, this checks their access regularly: a session that was revoked or exceeds its idle
 * time or lifetime, a revoked token, a deactivation and a removed role end the streams they opened.
 */
export class Listeners {
  readonly #open = new Map<ServerResponse, Listener>()
  #isPlanned = false

  constructor(
    protected sessions: Pick<Sessions, 'lasting'>,
    protected after: After = afterInBackground
  ) {}

  /** Adds a listener until its connection closes. */
  add(listener: Listener, response: ServerResponse): void {
    if (response.closed) return
    this.#open.set(response, listener)
    response.once('close', () => this.#open.delete(response))
    this.#plan()
  }

  /** Ends the responses of listeners that have lost access. Returns how many there were. */
  async look(): Promise<number> {
    let ended = 0
    const all = [...this.#open]
    for (let at = 0; at < all.length; at += BATCH) {
      const some = all.slice(at, at + BATCH)
      const isIn = await this.#whoIsIn(some.map(([, listener]) => listener))
      for (const [response] of some.filter(([, listener]) => !isIn(listener))) {
        response.destroy()
        ended++
      }
    }
    return ended
  }

  async #whoIsIn(listeners: Listener[]): Promise<(listener: Listener) => boolean> {
    const named = (name: 'userId' | 'sessionId' | 'tokenId') =>
      listeners.flatMap((listener) => listener[name] ?? [])
    const rows = await User.query().whereIn('id', named('userId')).whereNull('deactivated_at')
    const users = new Map(rows.map((user) => [user.id, user]))
    const sessions = await this.sessions.lasting(named('sessionId'))
    const tokens = await lastingTokens(named('tokenId'))
    return ({ userId, permission, sessionId, tokenId }) => {
      const user = users.get(userId)
      if (!user || (permission && !may(user, permission))) return false
      return tokenId !== null ? tokens.has(tokenId) : sessions.has(sessionId ?? '')
    }
  }

  #plan(): void {
    if (this.#isPlanned || this.#open.size === 0) return
    this.#isPlanned = true
    this.after(LOOK_EVERY_MS, () => {
      this.#isPlanned = false
      /** A brief database outage ends no stream. */
      void this.look()
        .catch(() => {})
        .finally(() => this.#plan())
    })
  }
}

/** Returns the IDs of tokens that exist and have not expired. */
async function lastingTokens(ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows: { id: string | number }[] = await db
    .from('auth_access_tokens')
    .select('id')
    .whereIn('id', ids)
    .where((lasting) => lasting.whereNull('expires_at').orWhere('expires_at', '>', new Date()))
  return new Set(rows.map(({ id }) => String(id)))
}
