import type { ApplicationService } from '@adonisjs/core/types'
import type {} from '@mosaic/plugin-kit/llm'
import { AcmeAdapter } from './adapter.ts'

/** Registers the adapter at boot. */
export default class AcmeProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('llm.registry', (registry) => {
      registry.extend('acme', () => new AcmeAdapter())
    })
  }
}
