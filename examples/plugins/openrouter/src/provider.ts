import type { ApplicationService } from '@adonisjs/core/types'
import type {} from '@mosaic/plugin-kit/llm'
import { OpenrouterAdapter } from './adapter.ts'

/** Registers the adapter at boot. */
export default class OpenrouterProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('llm.registry', (registry) => {
      registry.extend('openrouter', () => new OpenrouterAdapter())
    })
  }
}
