import type { ApplicationService } from '@adonisjs/core/types'
import { createAcme } from './index.ts'

/** Registers the runtime while Mosaic boots. */
export default class AcmeProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('runtime.manager', (manager) => {
      manager.extend('acme', createAcme())
    })
  }
}
