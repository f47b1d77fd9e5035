import type { ApplicationService } from '@adonisjs/core/types'
import { createAcme, OPTIONS } from './index.ts'

/** Registers the runtime at boot. */
export default class AcmeProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('runtime.manager', (manager) => {
      manager.extend('acme', createAcme(), { options: OPTIONS })
    })
  }
}
