import type { Secret } from '@adonisjs/core/helpers'
import { AccessToken, DbAccessTokensProvider } from '@adonisjs/auth/access_tokens'
import type { LucidModel } from '@adonisjs/lucid/types/model'

/** "Last used" has a resolution of one minute, so a busy token costs one write a minute. */
const LAST_USED_STEP_MS = 60_000

/** IDs are 32-bit integers; PostgreSQL refuses to compare them with anything else. */
const TOKEN_ID = /^\d{1,9}$/

/** The framework's access tokens, with a check that writes only for valid tokens, and rarely. */
export class UserAccessTokens<Model extends LucidModel> extends DbAccessTokensProvider<Model> {
  override async verify(tokenValue: Secret<string>): Promise<AccessToken | null> {
    const decoded = AccessToken.decode(this.prefix, tokenValue.release())
    if (!decoded || !TOKEN_ID.test(decoded.identifier)) return null

    const db = await this.getDb()
    const mine = { id: decoded.identifier, type: this.type }
    const row = await db.from(this.table).where(mine).first()
    if (!row) return null

    const token = this.dbRowToAccessToken(row)
    if (!token.verify(decoded.secret) || token.isExpired()) return null

    const now = new Date()
    if (!token.lastUsedAt || now.getTime() - token.lastUsedAt.getTime() > LAST_USED_STEP_MS) {
      await db.from(this.table).where(mine).update({ last_used_at: now })
    }
    return token
  }
}
