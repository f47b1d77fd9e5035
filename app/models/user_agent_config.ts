import { compose } from '@adonisjs/core/helpers'
import { column } from '@adonisjs/lucid/orm'
import { UserAgentConfigSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'
import type { AgentProfile, KnowledgeAccess } from '#models/types'

/** A user's choices for their agent: models, personality and profile. */
export default class UserAgentConfig extends compose(UserAgentConfigSchema, WithCuid, Owned) {
  @column()
  declare profile: AgentProfile

  @column()
  declare knowledge: KnowledgeAccess
}
