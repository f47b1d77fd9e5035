import type { ApplicationService } from '@adonisjs/core/types'
import { createKeyFile } from './index.ts'

/** Registers the vault at boot. `VAULT_DRIVER=key-file` makes it the sealing vault. */
export default class KeyFileProvider {
  readonly #app: ApplicationService

  constructor(app: ApplicationService) {
    this.#app = app
  }

  boot() {
    this.#app.container.resolving('vault.manager', (manager) => {
      manager.extend('key-file', createKeyFile())
    })
  }
}
