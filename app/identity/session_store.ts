import db from '@adonisjs/lucid/services/db'
import { configProvider } from '@adonisjs/core'
import { MessageBuilder } from '@adonisjs/core/helpers'
import string from '@adonisjs/core/helpers/string'
import { stores } from '@adonisjs/session'
import type { SessionData, SessionStoreWithTaggingContract } from '@adonisjs/session/types'

/**
 * The framework's rows, but for one thing: a session that was ended while a request of it was under way
 * stays ended. The framework puts a row back that is gone, and with it whoever was to be out; a chat
 * lasts long enough to wait for that. Made anew for each request.
 */
export class SessionStore implements SessionStoreWithTaggingContract {
  readonly #found = new Set<string>()

  constructor(
    protected rows: SessionStoreWithTaggingContract,
    protected age: string | number
  ) {}

  async read(id: string): Promise<SessionData | null> {
    const data = await this.rows.read(id)
    if (data) this.#found.add(id)
    return data
  }

  async write(id: string, values: SessionData): Promise<void> {
    if (!this.#found.has(id)) return this.rows.write(id, values)
    const data = new MessageBuilder().build(values, undefined, id)
    const expiresAt = new Date(Date.now() + string.seconds.parse(this.age) * 1000)
    await db.from('sessions').where('id', id).update({ data, expires_at: expiresAt })
  }

  destroy(id: string) {
    return this.rows.destroy(id)
  }

  touch(id: string) {
    return this.rows.touch(id)
  }

  tag(id: string, userId: string) {
    return this.rows.tag(id, userId)
  }

  untag(id: string, userId: string) {
    return this.rows.untag(id, userId)
  }

  tagged(userId: string) {
    return this.rows.tagged(userId)
  }
}

/** For `config/session.ts`. */
export const sessionRows = () =>
  configProvider.create(async (app) => {
    const rows = await stores.database().resolver(app)
    return ((ctx, config) =>
      new SessionStore(
        rows(ctx, config) as SessionStoreWithTaggingContract,
        config.age
      )) as typeof rows
  })
