import type { ApplicationService } from '@adonisjs/core/types'
import { createBubblewrap, OPTIONS } from './index.ts'

/** Registers the runtime at boot. */
export default class BubblewrapProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('runtime.manager', (manager) => {
      manager.extend('bubblewrap', createBubblewrap(), { options: OPTIONS })
    })
  }
}
