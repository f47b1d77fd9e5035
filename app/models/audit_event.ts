import { compose } from '@adonisjs/core/helpers'
import { AuditEventSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** One line of the record of who did what. Rows are only ever added. */
export default class AuditEvent extends compose(AuditEventSchema, WithCuid) {}
