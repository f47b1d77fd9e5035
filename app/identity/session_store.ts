import { createHmac } from 'node:crypto'
import { configProvider } from '@adonisjs/core'
import string from '@adonisjs/core/helpers/string'
import { stores } from '@adonisjs/session'
import type { SessionData, SessionStoreWithTaggingContract } from '@adonisjs/session/types'
import { cookieName, rewriteCookies } from '#identity/response_cookies'
import { changesBetween, withChanges, type SessionValues } from '#identity/session_changes'
import { SessionRows, type SessionRow } from '#identity/session_rows'

/** Where the framework's CSRF check looks for its secret. */
const CSRF_SECRET = 'csrf-secret'

/** Requests of one session that may write in between, each time this one tries to. */
const MAX_TRIES = 100

export interface SessionStoreOptions {
  /** The session that the browser named; none for its first visit. */
  knownId: string | undefined
  csrfKey: Buffer
  /** Called when the session was ended, or moved to another id, while this request was under way. */
  onGone: () => void
}

/**
 * The session of one request. It writes what the request changed and nothing else, so an answer that ends
 * late undoes nothing; and never puts back a row that is gone, so that who was signed out stays out.
 *
 * A visit that leaves nothing behind makes no row: the secret of its CSRF token follows from the id.
 */
export class SessionStore implements SessionStoreWithTaggingContract {
  /** Rows as this request found them. */
  readonly #found = new Map<string, SessionRow>()
  /** Ids whose row was there: only an update reaches it. */
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
    if (row && !(await this.rows.touch(id, row))) this.options.onGone()
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

  /** As JSON reads it back. A session keeps a secret only where it came from another id. */
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
export const sessionRows = (csrfKey: Buffer) =>
  configProvider.create(async (app) => {
    const framework = await stores.database().resolver(app)
    return ((ctx, config) => {
      const { request, response } = ctx
      /** The browser may have another session by now, which these cookies must not replace. */
      const stale = [config.cookieName, 'XSRF-TOKEN']
      return new SessionStore(
        new SessionRows(string.seconds.parse(config.age) * 1000),
        framework(ctx, config) as SessionStoreWithTaggingContract,
        {
          knownId: request.cookie(config.cookieName),
          csrfKey,
          onGone: () =>
            rewriteCookies(response, (cookie) =>
              stale.includes(cookieName(cookie)) ? null : cookie
            ),
        }
      )
    }) as typeof framework
  })
