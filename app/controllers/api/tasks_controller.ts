import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import {
  claimValidator,
  taskChangesValidator,
  tasksValidator,
  taskValidator,
} from '#validators/knowledge'

/** Default claim: covers most work of an agent; after that, someone else may claim the task. */
const CLAIM_MINUTES = 15

/** `/api/v1/tasks`: tasks of the caller and their agent. */
export default class TasksController {
  async index({ auth, request }: HttpContext) {
    const query = await tasksValidator.validate(request.qs())
    return (await this.#tasks()).list(auth.user!.id, query)
  }

  async show({ auth, params }: HttpContext) {
    return { data: await (await this.#tasks()).find(auth.user!.id, params.id) }
  }

  async store({ auth, request, response }: HttpContext) {
    const input = await request.validateUsing(taskValidator)
    const made = await (await this.#tasks()).create(auth.user!.id, 'person', input)
    return response.created({ data: made })
  }

  async update({ auth, params, request }: HttpContext) {
    const changes = await request.validateUsing(taskChangesValidator)
    return { data: await (await this.#tasks()).update(auth.user!.id, params.id, changes) }
  }

  async destroy({ auth, params, response }: HttpContext) {
    await (await this.#tasks()).delete(auth.user!.id, params.id)
    return response.noContent()
  }

  async claim({ auth, params, request }: HttpContext) {
    const { minutes = CLAIM_MINUTES } = await request.validateUsing(claimValidator)
    return { data: await (await this.#tasks()).claim(auth.user!.id, params.id, minutes) }
  }

  #tasks() {
    return app.container.make('knowledge.tasks')
  }
}
