import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { pageValidator } from '#validators/identity'
import AdminUserTransformer from '#transformers/admin_user_transformer'

/** `/api/v1/admin/users`. */
export default class AdminUsersController {
  async index({ request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const directory = await app.container.make('identity.users')
    const { rows, meta } = await directory.list(query)
    return serialize(AdminUserTransformer.paginate(rows, meta))
  }
}
