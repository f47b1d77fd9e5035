import { RuntimeException } from '@adonisjs/core/exceptions'
import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import type { VaultConfig, VaultDriverFactory } from '#vaults/define_config'

/** Names of the configured vault drivers, inferred from `config/vault.ts`. */
export interface VaultDrivers {}

/**
 * The vault in use. It holds the drivers that `config/vault.ts` and plugins name, makes each when it is
 * first used, and seals and opens with the default one.
 */
export class VaultManager {
  readonly #config: VaultConfig<Record<string, VaultDriverFactory>>
  readonly #factories: Map<string, VaultDriverFactory>
  readonly #made = new Map<string, Promise<VaultDriver>>()

  constructor(config: VaultConfig<Record<string, VaultDriverFactory>>) {
    this.#config = config
    this.#factories = new Map(Object.entries(config.drivers))
  }

  /** Adds a driver under a name; a plugin calls this while the application boots. */
  extend(name: string, factory: VaultDriverFactory): void {
    this.#factories.set(name, factory)
  }

  /**
   * The driver of that name, or the default one. Always the same object for a name; one that could not be
   * made is made at the next call.
   */
  async use(
    name: (keyof VaultDrivers & string) | (string & {}) = this.#config.default
  ): Promise<VaultDriver> {
    const made = this.#made.get(name)
    if (made) return made

    const factory = this.#factories.get(name)
    if (!factory) {
      throw new RuntimeException(`Unknown vault driver "${name}": name it in config/vault.ts`)
    }
    const driver = Promise.resolve(factory())
    this.#made.set(name, driver)
    driver.catch(() => this.#made.delete(name))
    return driver
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    return (await this.use()).seal(plain, context)
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    return (await this.use()).open(sealed, context)
  }

  async reseal(sealed: string, context: SealContext): Promise<string> {
    return (await this.use()).reseal(sealed, context)
  }

  async preflight(): Promise<VaultFinding[]> {
    return (await this.use()).preflight()
  }
}
