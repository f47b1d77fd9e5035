import { compose } from '@adonisjs/core/helpers'
import { belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { BreakglassUserSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'
import User from '#models/user'

/** A local account that always works: a credential of an admin, not a separate person. */
export default class BreakglassUser extends compose(BreakglassUserSchema, WithCuid) {
  @column({ serializeAs: null })
  declare passwordHash: string

  @belongsTo(() => User)
  declare user: BelongsTo<typeof User>
}
