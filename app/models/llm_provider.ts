import { compose } from '@adonisjs/core/helpers'
import { belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { LlmProviderSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'
import User from '#models/user'

/** An LLM service that a user connected, with its sealed key. */
export default class LlmProvider extends compose(LlmProviderSchema, WithCuid, Sealed, Owned) {
  /** Named explicitly, because the naming strategy would expect `api_key_last_4`. */
  @column({ columnName: 'api_key_last4' })
  declare apiKeyLast4: string | null

  @belongsTo(() => User)
  declare user: BelongsTo<typeof User>
}
