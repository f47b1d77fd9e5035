import type { ApplicationService } from '@adonisjs/core/types'
import type { ServiceRegistry } from '#identity/services/registry'
import type { LlmRegistry } from '#llm/registry'
import type { RuntimeManager } from '#runtimes/manager'
import type { VaultManager } from '#vaults/manager'

/** The managers that plugins extend. */
export interface Managers {
  runtimes: Pick<RuntimeManager, 'names' | 'extensions'>
  adapters: Pick<LlmRegistry, 'has' | 'extensions'>
  vaults: Pick<VaultManager, 'use' | 'names' | 'extensions' | 'defaultName' | 'dependsOn' | 'knows'>
  services: Pick<ServiceRegistry, 'find' | 'extensions'>
}

/** Returns this application's managers. */
export async function managersOf({ container }: ApplicationService): Promise<Managers> {
  return {
    runtimes: await container.make('runtime.manager'),
    adapters: await container.make('llm.registry'),
    vaults: await container.make('vault.manager'),
    services: await container.make('identity.services.registry'),
  }
}
