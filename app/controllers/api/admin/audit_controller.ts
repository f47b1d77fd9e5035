import { Readable } from 'node:stream'
import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { auditCsv } from '#audit/csv'
import { auditFilterValidator, auditQueryValidator } from '#validators/audit'
import AuditEventTransformer from '#transformers/audit_event_transformer'

/** `/api/v1/admin/audit`, newest first. */
export default class AdminAuditController {
  async index({ request, serialize }: HttpContext) {
    const query = await auditQueryValidator.validate(request.qs())
    const reader = await app.container.make('audit.reader')
    const page = await reader.list(query)
    return serialize(AuditEventTransformer.paginate(page.all(), page.getMeta()))
  }

  /** Exports the whole record, or the filtered part, as a file. The export itself is recorded too. */
  async export({ auth, request, response }: HttpContext) {
    const filter = await auditFilterValidator.validate(request.qs())
    const audit = await app.container.make('audit')
    await audit.record({ actor: auth.user!, action: 'audit.exported', address: request.ip() })
    const reader = await app.container.make('audit.reader')
    response.header('content-type', 'text/csv; charset=utf-8')
    response.header('content-disposition', 'attachment; filename="audit.csv"')
    response.header('cache-control', 'no-store')
    return response.stream(Readable.from(auditCsv(reader.all(filter))))
  }
}
