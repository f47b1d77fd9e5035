import type { ApplicationService } from '@adonisjs/core/types'
import type { Audit } from '#audit/audit'
import type { AccessTokens } from '#identity/access_tokens'
import type { BreakglassAccounts } from '#identity/breakglass_accounts'
import type { Sessions } from '#identity/sessions'
import type { SignIn } from '#identity/sign_in'
import type { Onboarding } from '#onboarding/onboarding'
import { declareAccessMacros } from '#identity/access_rules'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'audit': Audit
    'identity.tokens': AccessTokens
    'identity.signIn': SignIn
    'identity.sessions': Sessions
    'identity.breakglass': BreakglassAccounts
    'onboarding': Onboarding
  }
}

/** Registers who may come in: access rules, sign-in, access tokens, the onboarding, the audit record. */
export default class IdentityProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    const { container } = this.app

    container.singleton('audit', async () => {
      const { Audit } = await import('#audit/audit')
      return new Audit()
    })
    container.singleton('identity.tokens', async () => {
      const { AccessTokens } = await import('#identity/access_tokens')
      return new AccessTokens()
    })
    container.singleton('identity.signIn', async (resolver) => {
      const { SignIn } = await import('#identity/sign_in')
      return new SignIn(await resolver.make('limiter.manager'))
    })
    container.singleton('identity.sessions', async (resolver) => {
      const { Sessions } = await import('#identity/sessions')
      return new Sessions(await resolver.make('audit'))
    })
    container.singleton('identity.breakglass', async (resolver) => {
      const { BreakglassAccounts } = await import('#identity/breakglass_accounts')
      return new BreakglassAccounts(
        await resolver.make('audit'),
        await resolver.make('identity.sessions')
      )
    })
    container.singleton('onboarding', async (resolver) => {
      const { secrets } = await import('#start/env')
      const { SetupToken } = await import('#onboarding/setup_token')
      const { Onboarding } = await import('#onboarding/onboarding')
      const runtimes = await resolver.make('runtime.manager')
      return new Onboarding(
        await resolver.make('settings'),
        await resolver.make('identity.breakglass'),
        await resolver.make('audit'),
        new SetupToken(secrets.keys, () => runtimes.installation())
      )
    })
  }

  boot() {
    declareAccessMacros()
  }

  /** The server listens: whoever started it must learn how to claim it. */
  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { setupNotice } = await import('#onboarding/setup_link')
    const notice = await setupNotice(await this.app.container.make('onboarding'), {
      host: process.env.HOST!,
      port: process.env.PORT!,
    })
    if (notice) process.stdout.write(`\n${notice}\n`)
  }
}
