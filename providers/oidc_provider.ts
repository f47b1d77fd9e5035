import { configProvider } from '@adonisjs/core'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { ApplicationService } from '@adonisjs/core/types'
import type { OidcClient } from '#identity/oidc/client'
import type { OidcDiscovery } from '#identity/oidc/discovery'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import type { OidcSetup } from '#identity/oidc/setup'
import type { OidcService } from '#identity/oidc/service'
import type { ServiceAccounts } from '#identity/services/accounts'
import type { ServiceDirectory } from '#identity/services/directory'
import type { SignInConfig } from '#identity/services/registry'
import type { ServiceSetup } from '#identity/services/setup'
import type { ServiceSignIn } from '#identity/services/sign_in'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'identity.oidc': OidcService
    'identity.oidc.client': OidcClient
    'identity.oidc.discovery': OidcDiscovery
    'identity.oidc.enforcement': OidcEnforcement
    'identity.oidc.setup': OidcSetup
    'identity.services': ServiceDirectory
    'identity.services.accounts': ServiceAccounts
    'identity.services.setup': ServiceSetup
    'identity.services.signIn': ServiceSignIn
  }
}

/** Registers the sign-in services: the OpenID provider of the settings, and the directory of all services. */
export default class OidcProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    const { container } = this.app

    container.singleton('identity.oidc.discovery', async (resolver) => {
      const { OidcDiscovery } = await import('#identity/oidc/discovery')
      return new OidcDiscovery(await resolver.make('llm.fetch'))
    })
    container.singleton('identity.oidc.client', async (resolver) => {
      const { OidcClient } = await import('#identity/oidc/client')
      const discovery = await resolver.make('identity.oidc.discovery')
      return new OidcClient(await resolver.make('llm.fetch'), discovery)
    })
    container.singleton('identity.oidc.enforcement', async (resolver) => {
      const { OidcEnforcement } = await import('#identity/oidc/enforcement')
      return new OidcEnforcement(await resolver.make('settings'))
    })
    container.singleton('identity.oidc', async (resolver) => {
      const { OidcService } = await import('#identity/oidc/service')
      return new OidcService(
        await resolver.make('settings'),
        await resolver.make('identity.oidc.client'),
        await resolver.make('identity.oidc.enforcement')
      )
    })
    container.singleton('identity.oidc.setup', async (resolver) => {
      const { OidcSetup } = await import('#identity/oidc/setup')
      return new OidcSetup(
        await resolver.make('settings'),
        await resolver.make('settings.changes'),
        await resolver.make('identity.oidc.discovery'),
        await resolver.make('identity.oidc.client'),
        await resolver.make('identity.oidc.enforcement')
      )
    })

    container.singleton('identity.services', async (resolver) => {
      const { ServiceDirectory } = await import('#identity/services/directory')
      return new ServiceDirectory(
        await resolver.make('identity.oidc'),
        await resolver.make('identity.services.registry'),
        await resolver.make('identity.oidc.enforcement'),
        await this.#means()
      )
    })
    container.singleton('identity.services.registry', async () => {
      const { ServiceRegistry } = await import('#identity/services/registry')
      const config = await configProvider.resolve<SignInConfig>(
        this.app,
        this.app.config.get('sign_in')
      )
      if (!config) {
        throw new RuntimeException(
          'Invalid "config/sign_in.ts": export what defineConfig() returns'
        )
      }
      return new ServiceRegistry(config)
    })
    container.singleton('identity.services.setup', async (resolver) => {
      const { ServiceSetup } = await import('#identity/services/setup')
      return new ServiceSetup(
        await resolver.make('identity.services.registry'),
        await this.#means(),
        await resolver.make('audit')
      )
    })
    container.singleton('identity.services.accounts', async (resolver) => {
      const { ServiceAccounts } = await import('#identity/services/accounts')
      return new ServiceAccounts(
        await resolver.make('identity.invitations'),
        await resolver.make('audit')
      )
    })
    container.singleton('identity.services.signIn', async (resolver) => {
      const { ServiceSignIn } = await import('#identity/services/sign_in')
      return new ServiceSignIn(
        await resolver.make('identity.services'),
        await resolver.make('identity.services.accounts'),
        await resolver.make('audit')
      )
    })
  }

  /** Returns the services' means of network access. */
  async #means() {
    const { container } = this.app
    return {
      fetch: await container.make('llm.fetch'),
      oidc: await container.make('identity.oidc.client'),
    }
  }
}
