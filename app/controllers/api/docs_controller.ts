import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { Handbook } from '#handbook/handbook'

/** `/api/v1/docs`: the documentation of this version, chapter by chapter, as Markdown. */
export default class DocsController {
  readonly #handbook = new Handbook(app.makePath('docs'))

  async index() {
    return { data: await this.#handbook.list() }
  }

  async show({ params }: HttpContext) {
    return { data: await this.#handbook.read(params.chapter) }
  }
}
