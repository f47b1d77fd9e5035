import { DriverManager, type DriversConfig } from '#drivers/driver_manager'
import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import type { VaultDriverFactory } from '#vaults/define_config'

/** Names of the configured vault drivers, inferred from `config/vault.ts`. */
export interface VaultDrivers {}

/** The vault in use: seals and opens with the default driver. */
export class VaultManager extends DriverManager<VaultDriver> {
  constructor(config: DriversConfig<Record<string, VaultDriverFactory>>) {
    super('vault', config)
  }

  override use(name?: (keyof VaultDrivers & string) | (string & {})): Promise<VaultDriver> {
    return super.use(name)
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

  protected override async context(): Promise<void> {}
}
