import type { ApplicationService } from '@adonisjs/core/types'
import type { OidcAccounts } from '#identity/oidc/accounts'
import type { OidcClient } from '#identity/oidc/client'
import type { OidcDiscovery } from '#identity/oidc/discovery'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import type { OidcSetup } from '#identity/oidc/setup'
import type { OidcSignIn } from '#identity/oidc/sign_in'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'identity.oidc': OidcSignIn
    'identity.oidc.accounts': OidcAccounts
    'identity.oidc.client': OidcClient
    'identity.oidc.discovery': OidcDiscovery
    'identity.oidc.enforcement': OidcEnforcement
    'identity.oidc.setup': OidcSetup
  }
}

/** Registers single sign-on with the identity provider of the settings. */
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
    container.singleton('identity.oidc.accounts', async (resolver) => {
      const { OidcAccounts } = await import('#identity/oidc/accounts')
      return new OidcAccounts(
        await resolver.make('settings'),
        await resolver.make('identity.invitations'),
        await resolver.make('audit')
      )
    })
    container.singleton('identity.oidc', async (resolver) => {
      const { OidcSignIn } = await import('#identity/oidc/sign_in')
      return new OidcSignIn(
        await resolver.make('settings'),
        await resolver.make('identity.oidc.client'),
        await resolver.make('identity.oidc.accounts'),
        await resolver.make('identity.oidc.enforcement'),
        await resolver.make('audit')
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
  }
}
