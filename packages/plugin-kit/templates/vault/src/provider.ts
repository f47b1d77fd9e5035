import type { ApplicationService } from '@adonisjs/core/types'
import { createAcme } from './index.ts'

/** Registers the vault at boot. `VAULT_DRIVER=acme` makes it the sealing vault. */
export default class AcmeProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('vault.manager', (manager) => {
      manager.extend('acme', createAcme)
    })
  }
}
