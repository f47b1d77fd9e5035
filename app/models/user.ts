import { compose } from '@adonisjs/core/helpers'
import { column, hasMany, hasOne } from '@adonisjs/lucid/orm'
import type { HasMany, HasOne } from '@adonisjs/lucid/types/relations'
import { UserSchema } from '#database/schema'
import { UserAccessTokens } from '#models/user_access_tokens'
import { WithCuid } from '#models/with_cuid'
import LlmProvider from '#models/llm_provider'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import type { Role } from '#models/types'

/** Prefix of every access token, so that secret scanners recognise one. */
export const ACCESS_TOKEN_PREFIX = 'mos_'

/** Someone who may sign in. Owns providers, an agent and its conversations. */
export default class User extends compose(UserSchema, WithCuid) {
  static accessTokens = new UserAccessTokens({
    tokenableModel: User,
    prefix: ACCESS_TOKEN_PREFIX,
  })

  @column()
  declare role: Role

  @column({ serializeAs: null })
  declare passwordHash: string | null

  @column({ serializeAs: null })
  declare invitationTokenHash: string | null

  @hasMany(() => LlmProvider)
  declare providers: HasMany<typeof LlmProvider>

  @hasOne(() => UserContainer)
  declare container: HasOne<typeof UserContainer>

  @hasOne(() => UserAgentConfig)
  declare agentConfig: HasOne<typeof UserAgentConfig>

  get isAdmin(): boolean {
    return this.role === 'admin'
  }

  /** Invited, but not yet signed in. */
  get isInvited(): boolean {
    return Boolean(this.invitationTokenHash)
  }
}
