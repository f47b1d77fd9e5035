import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { connectionChangesValidator, connectionValidator } from '#validators/provider'

/** Connection tests. A service that does not answer correctly is a result (200), not an error. */
export default class ProviderTestsController {
  /** `POST /api/v1/providers/test`: as entered, before it is stored. */
  async entered({ auth, request }: HttpContext) {
    const connection = await request.validateUsing(connectionValidator)
    const providers = await app.container.make('settings.providers')
    return { data: await providers.test(auth.user!.id, connection) }
  }

  /** `POST /api/v1/providers/:id/test`: a stored provider with unsaved changes. */
  async stored({ auth, params, request }: HttpContext) {
    const changes = await request.validateUsing(connectionChangesValidator)
    const providers = await app.container.make('settings.providers')
    return { data: await providers.testStored(auth.user!.id, params.id, changes) }
  }
}
