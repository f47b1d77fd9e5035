import { compose } from '@adonisjs/core/helpers'
import { beforeDelete, beforeUpdate, belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { AuditEventSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'
import User from '#models/user'

/** An event of the audit record. Rows are append-only. */
export default class AuditEvent extends compose(AuditEventSchema, WithCuid) {
  @column({ prepare: (value) => value && JSON.stringify(value), consume: readable })
  declare details: Record<string, unknown> | null

  /** The affected person, if they still exist. */
  @belongsTo(() => User, { foreignKey: 'subjectId' })
  declare subjectUser: BelongsTo<typeof User>

  @beforeUpdate()
  @beforeDelete()
  static refuse() {
    throw new Error('Events of the audit record are neither changed nor deleted')
  }
}

/** Anything but JSON was not written by Mosaic: it is shown, and breaks the chain. */
function readable(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return { unreadable: value }
  }
}
