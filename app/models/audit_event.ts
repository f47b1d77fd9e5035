import { compose } from '@adonisjs/core/helpers'
import { beforeDelete, beforeUpdate } from '@adonisjs/lucid/orm'
import { AuditEventSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** One line of the record of who did what. Rows are only ever added. */
export default class AuditEvent extends compose(AuditEventSchema, WithCuid) {
  @beforeUpdate()
  @beforeDelete()
  static refuse() {
    throw new Error('Events of the audit record are neither changed nor deleted')
  }
}
