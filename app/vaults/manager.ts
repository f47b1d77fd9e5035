import { randomUUID } from 'node:crypto'
import { DriverManager, type DriverName, type DriversConfig } from '#drivers/driver_manager'
import { hasCode } from '#drivers/error_code'
import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import type { VaultDriverFactory } from '#vaults/define_config'
import {
  E_VAULT_MISSING,
  E_VAULT_NOT_LASTING,
  E_VAULT_TAMPERED,
  E_VAULT_UNREACHABLE,
} from '#vaults/errors'
import { systemClock, type Clock } from '#timing/clock'
import { DeadlineExceeded, within } from '#timing/deadline'

/** Milliseconds for one operation of a vault, so that a service that hangs blocks neither a boot nor a request. */
const ANSWER_MS = 30_000

/** Names of the configured vault drivers, inferred from `config/vault.ts`. */
export interface VaultDrivers {}

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'vault.manager': VaultManager
  }
}

/** An installation's vaults. The default one seals; each opens its own values. */
export class VaultManager extends DriverManager<VaultDriver> {
  constructor(
    config: DriversConfig<Record<string, VaultDriverFactory>>,
    protected clock: Clock = systemClock
  ) {
    super('vault', config)
  }

  override use<Name extends string>(name?: DriverName<Name, VaultDrivers>): Promise<VaultDriver> {
    return super.use(name)
  }

  /** @throws E_VAULT_UNREACHABLE after 30 seconds, and like `VaultDriver.seal` */
  async seal(plain: string, context: SealContext): Promise<string> {
    return this.#answer(this.defaultName, (vault) => vault.seal(plain, context))
  }

  /**
   * Opens a value with the vault that sealed it, default or not.
   *
   * @throws E_VAULT_MISSING if no vault knows the value's format, E_VAULT_UNREACHABLE after 30 seconds, and like
   * `VaultDriver.open`
   */
  async open(sealed: string, context: SealContext): Promise<string> {
    return this.#byItsVault(sealed, (vault) => vault.open(sealed, context))
  }

  /**
   * Reseals a value with the default vault and its current key; returns it unchanged if it already is. Fails
   * like `open`.
   */
  async reseal(sealed: string, context: SealContext): Promise<string> {
    const sealing = await this.use()
    return this.#byItsVault(sealed, async (vault) =>
      vault === sealing
        ? vault.reseal(sealed, context)
        : sealing.seal(await vault.open(sealed, context), context)
    )
  }

  /**
   * Proves that another instance of the default vault, as the next start makes it, opens what this one seals.
   *
   * @throws E_VAULT_NOT_LASTING if it does not, and like `seal` and `open`
   */
  async checkLasting(): Promise<void> {
    const name = this.defaultName
    const plain = randomUUID()
    const context = { table: 'none', column: 'none', rowId: randomUUID() }
    const sealed = await this.seal(plain, context)
    const other = await this.another(name)
    const opened = await this.#answer(name, () => other.open(sealed, context)).catch((error) => {
      if (!hasCode(error, 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')) throw error
      throw new E_VAULT_NOT_LASTING(name, { cause: error })
    })
    if (opened !== plain) throw new E_VAULT_NOT_LASTING(name)
  }

  /** Returns whether the value is lost without the vault of this name. */
  async dependsOn(name: string, sealed: string, context: SealContext): Promise<boolean> {
    if (!claims(await this.use(name), sealed)) return false
    return this.#byItsVault(sealed, (vault) => vault.open(sealed, context), name).then(
      () => false,
      () => true
    )
  }

  /** Returns whether any installed vault knows the value's format. */
  async knows(sealed: string): Promise<boolean> {
    return (await this.vaultsOf(sealed)).length > 0
  }

  /** Returns the names of the installed vaults that know the value's format. Calls no vault's service. */
  async vaultsOf(sealed: string): Promise<string[]> {
    if (!sealed.startsWith('enc:')) return []
    const known = await Promise.all(
      this.names().map((name) =>
        this.use(name).then(
          (vault) => claims(vault, sealed),
          () => false
        )
      )
    )
    return this.names().filter((_, index) => known[index])
  }

  /**
   * Returns the faults of one vault.
   *
   * @throws E_UNKNOWN_DRIVER, E_VAULT_UNREACHABLE after 30 seconds, errors of the vault's factory
   */
  async preflight(name: string = this.defaultName): Promise<VaultFinding[]> {
    return this.#answer(name, (vault) => vault.preflight())
  }

  protected override async context(): Promise<void> {}

  /**
   * Tries the default vault first, because it sealed most values. Two vaults may share a format and differ by
   * their keys.
   */
  async #byItsVault<T>(
    sealed: string,
    work: (vault: VaultDriver) => Promise<T>,
    without?: string
  ): Promise<T> {
    if (!sealed.startsWith('enc:')) throw new E_VAULT_TAMPERED()
    const names = new Set([this.defaultName, ...this.names()])
    if (without) names.delete(without)
    let failure: unknown
    for (const name of names) {
      try {
        const vault = await this.use(name)
        if (claims(vault, sealed)) return await this.#answer(name, work)
      } catch (error) {
        if (hasCode(error, 'E_VAULT_TAMPERED')) throw error
        failure ??= error
      }
    }
    throw failure ?? new E_VAULT_MISSING(sealed)
  }

  async #answer<T>(name: string, work: (vault: VaultDriver) => Promise<T>): Promise<T> {
    const vault = await this.use(name)
    return within(this.clock, ANSWER_MS, undefined, () => work(vault)).catch((error: unknown) => {
      if (!(error instanceof DeadlineExceeded)) throw error
      const message = `The vault "${name}" did not answer within ${ANSWER_MS / 1000} seconds.`
      throw new E_VAULT_UNREACHABLE(message, { cause: error })
    })
  }
}

/** Returns whether the vault sealed the value, judging by its format. */
function claims(vault: VaultDriver, sealed: string): boolean {
  return vault.keyId(sealed) !== null || (vault.prefix ? sealed.startsWith(vault.prefix) : false)
}
