import type { ApplicationService } from '@adonisjs/core/types'
import { defineConfig, type RuntimeDriverFactory } from '@mosaic/plugin-kit/runtime'
import { defineConfig as defineVaults, type VaultDriverFactory } from '@mosaic/plugin-kit/vault'
import '@mosaic/plugin-kit/llm'

declare module '@mosaic/plugin-kit/runtime' {
  interface RuntimeDrivers {
    acme: true
  }
}

declare module '@mosaic/plugin-kit/vault' {
  interface VaultDrivers {
    acme: true
  }
}

export async function names(app: ApplicationService, fromRow: string) {
  const runtimes = await app.container.make('runtime.manager')
  await runtimes.use()
  await runtimes.use('docker')
  await runtimes.use('acme')
  await runtimes.use(fromRow)
  // @ts-expect-error Nobody declared a runtime of this name.
  await runtimes.use('typo')

  const vaults = await app.container.make('vault.manager')
  await vaults.use('aes256gcm')
  await vaults.use('acme')
  // @ts-expect-error Nobody declared a vault of this name.
  await vaults.use('typo')

  const adapters = await app.container.make('llm.registry')
  return adapters.get('openai').label
}

export function configured(runtime: RuntimeDriverFactory, vault: VaultDriverFactory) {
  const launch = { storage: '/data', openclaw: [], entrypoint: '/launcher.sh' }
  defineConfig({ default: 'acme', launch, drivers: { acme: runtime } })
  // @ts-expect-error The default is none of the drivers.
  defineConfig({ default: 'typo', launch, drivers: { acme: runtime } })
  // @ts-expect-error A vault is no runtime.
  defineConfig({ default: 'acme', launch, drivers: { acme: vault } })

  defineVaults({ default: 'acme', drivers: { acme: vault } })
  // @ts-expect-error The default is none of the drivers.
  defineVaults({ default: 'typo', drivers: { acme: vault } })
}
