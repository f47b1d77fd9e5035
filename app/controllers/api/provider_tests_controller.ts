import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { connectionChangesValidator, connectionValidator } from '#validators/provider'

/** Tests of connections. A service that does not answer rightly is a result (200), not an error. */
export default class ProviderTestsController {
  /** `POST /api/v1/providers/test`: as it was entered, before it is stored. */
  async entered({ request }: HttpContext) {
    const connection = await request.validateUsing(connectionValidator)
    const providers = await app.container.make('settings.providers')
    return { data: await providers.test(connection) }
  }

  /** `POST /api/v1/providers/:id/test`: as it is stored, with changes that are not. */
  async stored({ auth, params, request }: HttpContext) {
    const changes = await request.validateUsing(connectionChangesValidator)
    const providers = await app.container.make('settings.providers')
    return { data: await providers.testStored(auth.user!.id, params.id, changes) }
  }
}
