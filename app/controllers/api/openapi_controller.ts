import { readFileSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import router from '@adonisjs/core/services/router'
import { openApiDocument } from '#openapi/document'

const { version } = JSON.parse(readFileSync(app.makePath('package.json'), 'utf8')) as {
  version: string
}

/** `GET /api/v1/openapi.json`: the API's description, generated from the routes. */
export default class OpenApiController {
  static #document: ReturnType<typeof openApiDocument> | null = null

  show() {
    OpenApiController.#document ??= openApiDocument(Object.values(router.toJSON()).flat(), version)
    return OpenApiController.#document
  }
}
