import type { ApplicationService } from '@adonisjs/core/types'
import type { Audit } from '#audit/audit'
import type { AuditChain } from '#audit/audit_chain'
import type { AuditReader } from '#audit/audit_reader'
import type { AccessTokens } from '#identity/access_tokens'
import type { BreakglassAccounts } from '#identity/breakglass_accounts'
import type { Listeners } from '#identity/listeners'
import type { DeniedAttempts } from '#identity/denied_attempts'
import type { Sessions } from '#identity/sessions'
import type { SignIn } from '#identity/sign_in'
import type { InvitationDelivery } from '#identity/invitation_delivery'
import type { Invitations } from '#identity/invitations'
import type { UserAdministration } from '#identity/user_administration'
import type { UserDirectory } from '#identity/user_directory'
import type { UserLimits } from '#identity/user_limits'
import type { SignInMethods } from '#identity/sign_in_methods'
import type { Checklist } from '#onboarding/checklist'
import type { Onboarding } from '#onboarding/onboarding'
import type { AuthStep } from '#onboarding/auth_step'
import type { ProviderStep } from '#onboarding/provider_step'
import type { SettingsChanges } from '#settings/settings_changes'
import type { DeclaredAgents } from '#agents/system_agents/declared_agents'
import type { SystemAgents } from '#agents/system_agents/system_agents'
import { declareAccessMacros } from '#identity/access_rules'
import { declareContractMacros } from '#openapi/route_contract'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'audit': Audit
    'audit.chain': AuditChain
    'audit.reader': AuditReader
    'identity.tokens': AccessTokens
    'identity.signIn': SignIn
    'identity.sessions': Sessions
    'identity.breakglass': BreakglassAccounts
    'identity.users': UserDirectory
    'identity.administration': UserAdministration
    'identity.invitations': Invitations
    'identity.invitationDelivery': InvitationDelivery
    'identity.signInMethods': SignInMethods
    'identity.limits': UserLimits
    'identity.listeners': Listeners
    'identity.deniedAttempts': DeniedAttempts
    'onboarding': Onboarding
    'onboarding.auth': AuthStep
    'onboarding.checklist': Checklist
    'onboarding.provider': ProviderStep
    'settings.changes': SettingsChanges
    'agents.system': SystemAgents
    'agents.declared': DeclaredAgents
  }
}

/** Registers identity and access: access rules, sign-in, access tokens, onboarding, the audit record. */
export default class IdentityProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.#registerIdentity()
    this.#registerOnboarding()
    this.#registerAdministration()
  }

  #registerIdentity() {
    const { container } = this.app

    container.singleton('audit', async (resolver) => {
      const { Audit } = await import('#audit/audit')
      const { auditKeys } = await import('#audit/audit_keys')
      const { secrets } = await import('#start/env')
      const [key] = auditKeys(secrets.keys)
      /** A command's standard output is reserved for its result. */
      if (this.app.getEnvironment() !== 'web') return new Audit(key)
      const logger = await resolver.make('logger')
      return new Audit(key, (head) => logger.info({ audit: head }, 'An audit event was recorded'))
    })
    container.singleton('audit.chain', async (resolver) => {
      const { AuditChain } = await import('#audit/audit_chain')
      const { auditKeys, legacyAuditKey } = await import('#audit/audit_keys')
      const { secrets } = await import('#start/env')
      const settings = await resolver.make('settings')
      const legacy = () => legacyAuditKey(settings)
      return new AuditChain(auditKeys(secrets.keys), legacy, await resolver.make('audit'))
    })
    container.singleton('audit.reader', async (resolver) => {
      const { AuditReader } = await import('#audit/audit_reader')
      return new AuditReader(await resolver.make('audit.chain'))
    })
    container.singleton('identity.tokens', async (resolver) => {
      const { AccessTokens } = await import('#identity/access_tokens')
      const settings = await resolver.make('settings')
      return new AccessTokens(Date.now, () => settings.get('limits.tokens'))
    })
    container.singleton('identity.signIn', async (resolver) => {
      const { SignIn } = await import('#identity/sign_in')
      return new SignIn(
        await resolver.make('limiter.manager'),
        await resolver.make('identity.oidc.enforcement'),
        await resolver.make('audit')
      )
    })
    container.singleton('identity.sessions', async (resolver) => {
      const { Sessions } = await import('#identity/sessions')
      return new Sessions(await resolver.make('audit'), await resolver.make('settings'))
    })
    container.singleton('identity.breakglass', async (resolver) => {
      const { BreakglassAccounts } = await import('#identity/breakglass_accounts')
      return new BreakglassAccounts(
        await resolver.make('audit'),
        await resolver.make('identity.sessions'),
        await resolver.make('identity.tokens')
      )
    })
    container.singleton('identity.users', async () => {
      const { UserDirectory } = await import('#identity/user_directory')
      return new UserDirectory()
    })
    container.singleton('identity.administration', async (resolver) => {
      const { UserAdministration } = await import('#identity/user_administration')
      const logger = await resolver.make('logger')
      const endAgent = async (userId: string) => {
        try {
          await (await container.make('agents.lifecycle')).stop(`user/${userId}`)
        } catch (error) {
          logger.warn(
            { err: error, userId },
            'An agent of a deactivated user goes on until reconciled'
          )
        }
      }
      return new UserAdministration(
        await resolver.make('identity.sessions'),
        await resolver.make('identity.tokens'),
        endAgent,
        await resolver.make('audit')
      )
    })
    container.singleton('identity.invitations', async (resolver) => {
      const { Invitations } = await import('#identity/invitations')
      return new Invitations(await resolver.make('audit'))
    })
    container.singleton('identity.invitationDelivery', async (resolver) => {
      const { InvitationDelivery } = await import('#identity/invitation_delivery')
      return new InvitationDelivery(await resolver.make('mail.mailer'))
    })
    container.singleton('identity.limits', async (resolver) => {
      const { UserLimits } = await import('#identity/user_limits')
      return new UserLimits(await resolver.make('settings'))
    })
    container.singleton('identity.listeners', async (resolver) => {
      const { Listeners } = await import('#identity/listeners')
      return new Listeners(await resolver.make('identity.sessions'))
    })
    container.singleton('identity.deniedAttempts', async (resolver) => {
      const { DeniedAttempts } = await import('#identity/denied_attempts')
      return new DeniedAttempts(
        await resolver.make('limiter.manager'),
        await resolver.make('audit')
      )
    })
    container.singleton('identity.signInMethods', async (resolver) => {
      const { SignInMethods } = await import('#identity/sign_in_methods')
      return new SignInMethods(
        await resolver.make('identity.oidc'),
        await resolver.make('identity.services'),
        await resolver.make('identity.oidc.enforcement')
      )
    })
  }

  #registerOnboarding() {
    const { container } = this.app

    container.singleton('onboarding', async (resolver) => {
      const { secrets } = await import('#start/env')
      const { SetupToken } = await import('#onboarding/setup_token')
      const { Onboarding } = await import('#onboarding/onboarding')
      const runtimes = await resolver.make('runtime.manager')
      return new Onboarding(
        await resolver.make('settings'),
        await resolver.make('identity.breakglass'),
        await resolver.make('identity.deniedAttempts'),
        await resolver.make('audit'),
        new SetupToken(secrets.keys, () => runtimes.installation())
      )
    })
    container.singleton('onboarding.auth', async (resolver) => {
      const { AuthStep } = await import('#onboarding/auth_step')
      return new AuthStep(
        await resolver.make('settings'),
        await resolver.make('identity.oidc.discovery'),
        await resolver.make('audit')
      )
    })
    container.singleton('onboarding.checklist', async (resolver) => {
      const { Checklist } = await import('#onboarding/checklist')
      return new Checklist(
        await resolver.make('settings'),
        await resolver.make('runtime.manager'),
        await resolver.make('settings.unlistedProxies')
      )
    })
    container.singleton('onboarding.provider', async (resolver) => {
      const { ProviderStep } = await import('#onboarding/provider_step')
      return new ProviderStep(
        await resolver.make('settings.providers'),
        await resolver.make('settings.agent_preferences')
      )
    })
  }

  #registerAdministration() {
    const { container } = this.app

    container.singleton('settings.changes', async (resolver) => {
      const { SettingsChanges } = await import('#settings/settings_changes')
      const { checkMailPassword } = await import('#mail/password_check')
      const runtimes = async () => (await container.make('runtime.manager')).names()
      const settings = await resolver.make('settings')
      const enforcement = await resolver.make('identity.oidc.enforcement')
      return new SettingsChanges(settings, runtimes, await resolver.make('audit'), [
        (changes) => enforcement.check(changes),
        (changes) => checkMailPassword(changes, settings),
      ])
    })
    container.singleton('agents.system', async (resolver) => {
      const { SystemAgents } = await import('#agents/system_agents/system_agents')
      const { ownModel } = await import('#user_settings/own_models')
      const controls = () => container.make('agents.lifecycle')
      const placement = await resolver.make('agents.placement')
      return new SystemAgents(controls, await resolver.make('audit'), ownModel, placement)
    })
    container.bind('agents.declared', async (resolver) => {
      const { DeclaredAgents } = await import('#agents/system_agents/declared_agents')
      const { ownModel } = await import('#user_settings/own_models')
      const controls = () => container.make('agents.lifecycle')
      const placement = await resolver.make('agents.placement')
      return new DeclaredAgents(controls, await resolver.make('audit'), ownModel, placement)
    })
  }

  boot() {
    declareAccessMacros()
    declareContractMacros()
  }

  /**
   * Runs before the server listens, so that anyone waiting for it has the claim link by then. Skipped
   * when a code generator only warms the application up.
   */
  async start() {
    if (this.app.getEnvironment() !== 'web' || this.app.getMode() === 'warmup') return
    await this.#upgradeAudit()
    const { setupNotice } = await import('#onboarding/setup_link')
    const { default: env } = await import('#start/env')
    const notice = await setupNotice(await this.app.container.make('onboarding'), {
      host: process.env.HOST!,
      port: process.env.PORT!,
      publishedUrl: env.get('PUBLISHED_URL'),
    })
    if (notice) process.stdout.write(`\n${notice}\n`)
  }

  async #upgradeAudit() {
    const { container } = this.app
    const { upgradeAudit } = await import('#audit/upgrade')
    const outcome = await upgradeAudit(await container.make('audit.chain'))
    const logger = await container.make('logger')
    if (outcome === 'broken') {
      logger.error('The audit record is not as it was recorded. Run "node ace audit:verify".')
    } else if (outcome !== 'not needed') {
      logger.info({ outcome }, 'The audit record of an earlier version was verified')
    }
  }
}
