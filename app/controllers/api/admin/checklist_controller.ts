import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { checklistValidator } from '#validators/onboarding'

/** `/api/v1/admin/checklist`: tasks left after set-up. */
export default class AdminChecklistController {
  async show() {
    const checklist = await app.container.make('onboarding.checklist')
    return { data: await checklist.state() }
  }

  async update({ request }: HttpContext) {
    const changes = await request.validateUsing(checklistValidator)
    const checklist = await app.container.make('onboarding.checklist')
    return { data: await checklist.update(changes) }
  }
}
