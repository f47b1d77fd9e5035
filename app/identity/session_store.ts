import { createHmac, type KeyObject } from 'node:crypto'
import { configProvider } from '@adonisjs/core'
import string from '@adonisjs/core/helpers/string'
import { stores } from '@adonisjs/session'
import type { SessionData, SessionStoreWithTaggingContract } from '@adonisjs/session/types'
import { cookieName, rewriteCookies } from '#identity/response_cookies'
import { changesBetween, withChanges, type SessionValues } from '#identity/session_changes'
import { SessionRows, type SessionRow } from '#identity/session_rows'

/** Key of the secret in the framework's CSRF check. */
const CSRF_SECRET = 'csrf-secret'

/** Most retries of a write that conflicts with other requests of the session. */
const MAX_TRIES = 100

export interface SessionStoreOptions {
  /** The session ID that the browser sent; none on its first visit. */
  knownId: string | undefined
  csrfKey: KeyObject
  /** Whether the browser shows the answer as a page. */
  isPage: boolean
  /** Called if the session ended or moved to another ID, during this request or before it. */
  onGone: () => void
}

/**
 * The session store of one request. It writes only what the request changed, so a request that finishes late
 * undoes nothing. It never recreates a deleted row, so a signed-out user stays signed out.
 *
 * A visit that changes nothing creates no row: its CSRF secret is derived from the ID.
 */
export class SessionStore implements SessionStoreWithTaggingContract {
  /** Rows as this request found them. */
  readonly #found = new Map<string, SessionRow>()
  /** IDs whose row existed: written by update only. */
  readonly #present = new Set<string>()

  constructor(
    protected rows: SessionRows,
    protected framework: SessionStoreWithTaggingContract,
    protected options: SessionStoreOptions
  ) {}

  async read(id: string): Promise<SessionData> {
    const row = id === this.options.knownId ? await this.rows.find(id) : null
    if (row) {
      this.#found.set(id, row)
      this.#present.add(id)
    }
    return { [CSRF_SECRET]: this.#csrfSecret(id), ...structuredClone(row?.values) }
  }

  async write(id: string, values: SessionData): Promise<void> {
    const changes = changesBetween(this.#found.get(id)?.values ?? {}, this.#kept(id, values))
    if (changes.length === 0) return this.touch(id)
    if (!this.#present.has(id)) await this.rows.make(id)

    let row = this.#found.get(id) ?? null
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      row ??= await this.rows.find(id)
      if (!row) return this.options.onGone()
      if (await this.rows.replace(id, row, withChanges(row.values, changes))) return
      row = null
    }
    throw new Error('The session is written to by too many requests at the same time')
  }

  async touch(id: string): Promise<void> {
    const row = this.#found.get(id)
    const isGone = row ? !(await this.rows.touch(id, row)) : this.#isUnknown(id)
    if (isGone) this.options.onGone()
  }

  async tag(id: string, userId: string): Promise<void> {
    await this.framework.tag(id, userId)
    this.#present.add(id)
  }

  destroy(id: string) {
    return this.framework.destroy(id)
  }

  untag(id: string, userId: string) {
    return this.framework.untag(id, userId)
  }

  tagged(userId: string) {
    return this.framework.tagged(userId)
  }

  /** Whether a call names a session without a row: it may have ended. The pages of visitors have none either. */
  #isUnknown(id: string): boolean {
    return !this.options.isPage && id === this.options.knownId
  }

  /** Values as JSON reads them back. The CSRF secret is stored only if it came from another ID. */
  #kept(id: string, values: SessionData): SessionValues {
    const kept = JSON.parse(JSON.stringify(values)) as SessionValues
    if (kept[CSRF_SECRET] === this.#csrfSecret(id)) delete kept[CSRF_SECRET]
    return kept
  }

  #csrfSecret(id: string): string {
    return createHmac('sha256', this.options.csrfKey).update(id).digest('base64url')
  }
}

/** For `config/session.ts`. */
export const sessionRows = (csrfKey: KeyObject) =>
  configProvider.create(async (app) => {
    const framework = await stores.database().resolver(app)
    return ((ctx, config) => {
      const { request, response } = ctx
      /** The browser may have a newer session by now, which these cookies must not replace. */
      const stale = [config.cookieName, 'XSRF-TOKEN']
      return new SessionStore(
        new SessionRows(string.seconds.parse(config.age) * 1000),
        framework(ctx, config) as SessionStoreWithTaggingContract,
        {
          knownId: request.cookie(config.cookieName),
          isPage: !request.url().startsWith('/api/'),
          csrfKey,
          onGone: () =>
            rewriteCookies(response, (cookie) =>
              stale.includes(cookieName(cookie)) ? null : cookie
            ),
        }
      )
    }) as typeof framework
  })
