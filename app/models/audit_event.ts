import { compose } from '@adonisjs/core/helpers'
import { beforeDelete, beforeUpdate, belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { AuditEventSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'
import User from '#models/user'

/** One line of the record of who did what. Rows are only ever added. */
export default class AuditEvent extends compose(AuditEventSchema, WithCuid) {
  @column({ prepare: (value) => value && JSON.stringify(value), consume: readable })
  declare details: Record<string, unknown> | null

  /** Whom it was done to, where that is a person who is still here. */
  @belongsTo(() => User, { foreignKey: 'subjectId' })
  declare subjectUser: BelongsTo<typeof User>

  @beforeUpdate()
  @beforeDelete()
  static refuse() {
    throw new Error('Events of the audit record are neither changed nor deleted')
  }
}

/** What is no JSON was not written by Mosaic: it is shown, and breaks the chain. */
function readable(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return { unreadable: value }
  }
}
