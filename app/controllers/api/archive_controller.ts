import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { listed } from '#models/page'
import {
  archiveRuleValidator,
  archivedValidator,
  findingSearchValidator,
} from '#validators/knowledge'

const MATCHES = 10

/** `/api/v1/archive`: the caller's archived conversations. */
export default class ArchiveController {
  async show({ auth }: HttpContext) {
    const rules = await app.container.make('knowledge.archive_settings')
    return { data: await rules.get(auth.user!.id) }
  }

  async update({ auth, request }: HttpContext) {
    const changes = await request.validateUsing(archiveRuleValidator)
    const rules = await app.container.make('knowledge.archive_settings')
    const user = auth.user!
    const data = await rules.put({ user, address: request.ip() }, changes)
    const keeper = await app.container.make('knowledge.archive_keeper')
    keeper.settingsChanged(`user/${user.id}`)
    return { data }
  }

  async index({ auth, request }: HttpContext) {
    const query = await archivedValidator.validate(request.qs())
    const archive = await app.container.make('knowledge.archive')
    return archive.list(auth.user!.id, query)
  }

  async search({ auth, request }: HttpContext) {
    const { query, limit = MATCHES } = await findingSearchValidator.validate(request.qs())
    const archive = await app.container.make('knowledge.archive')
    return listed(await archive.search(auth.user!.id, query, limit), { limit })
  }

  async destroy({ auth, params, response }: HttpContext) {
    const archive = await app.container.make('knowledge.archive')
    await archive.delete(auth.user!.id, params.id)
    return response.noContent()
  }
}
