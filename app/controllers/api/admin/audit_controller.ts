import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { pageValidator } from '#validators/identity'
import AuditEventTransformer from '#transformers/audit_event_transformer'

/** `/api/v1/admin/audit`, newest first. */
export default class AdminAuditController {
  async index({ request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const audit = await app.container.make('audit')
    const page = await audit.list(query)
    return serialize(AuditEventTransformer.paginate(page.all(), page.getMeta()))
  }
}
