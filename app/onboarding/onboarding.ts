import type { Audit } from '#audit/audit'
import type User from '#models/user'
import SystemConfig from '#models/system_config'
import type { Actor } from '#settings/actor'
import type { Settings } from '#settings/settings'
import type { Credentials } from '#identity/sign_in'
import type { BreakglassAccounts } from '#identity/breakglass_accounts'
import type { DeniedAttempts } from '#identity/denied_attempts'
import type { SetupToken } from '#onboarding/setup_token'
import { E_ALREADY_CLAIMED, E_ONBOARDING_INCOMPLETE, E_SETUP_TOKEN } from '#onboarding/errors'

/** Steps in order. The first creates the admin; `complete` finishes. */
export const ONBOARDING_STEPS = [
  'breakglass',
  'auth',
  'provider',
  'systemAgents',
  'complete',
] as const
export type OnboardingStep = (typeof ONBOARDING_STEPS)[number]

/** Steps that an admin answers or skips, in any order and any number of times. */
export type AnsweredStep = 'auth' | 'provider' | 'systemAgents'
const ANSWERED_STEPS: readonly AnsweredStep[] = ['auth', 'provider', 'systemAgents']

export interface OnboardingState {
  completed: boolean
  /** The next step. */
  step: OnboardingStep
}

/** Progress of the first boot. All its state is in the database, so any replica can continue. */
export class Onboarding {
  constructor(
    protected settings: Settings,
    protected accounts: BreakglassAccounts,
    protected deniedAttempts: DeniedAttempts,
    protected audit: Audit,
    readonly setupToken: SetupToken
  ) {}

  async state(): Promise<OnboardingState> {
    if (await this.settings.get('onboarding.completed'))
      return { completed: true, step: 'complete' }
    if (!(await this.isClaimed())) return { completed: false, step: 'breakglass' }
    return { completed: false, step: await this.#nextStep() }
  }

  /** Queried without a cache: a replica that has just lost the race must not see a stale answer. */
  async isClaimed(): Promise<boolean> {
    return (await SystemConfig.findBy('key', 'onboarding.claimed')) !== null
  }

  /**
   * Claims the installation by creating its first admin. Of concurrent callers one wins. Claim and account are
   * one transaction, so a crash leaves the installation unclaimed.
   *
   * @throws E_SETUP_TOKEN, E_ALREADY_CLAIMED
   */
  async claim(setupToken: string, credentials: Credentials, address: string): Promise<User> {
    if (!(await this.setupToken.matches(setupToken))) {
      const details = { reason: 'setup_token' }
      await this.deniedAttempts.note({ action: 'onboarding.refused', details, address })
      throw new E_SETUP_TOKEN()
    }
    if (await this.isClaimed()) throw new E_ALREADY_CLAIMED()

    return this.accounts.create(credentials, async (trx) => {
      const won = await this.settings.claim('onboarding.claimed', true, trx)
      if (!won) throw new E_ALREADY_CLAIMED()
    })
  }

  /**
   * Creates an operator's account. On a new installation this replaces the setup link, which then claims
   * nothing.
   *
   * @throws E_USERNAME_TAKEN
   */
  claimFromCommandLine(credentials: Credentials): Promise<User> {
    return this.accounts.create(credentials, async (trx) => {
      await this.settings.claim('onboarding.claimed', true, trx)
    })
  }

  /** Records that a step was answered or skipped. */
  async stepDone(step: AnsweredStep): Promise<OnboardingState> {
    /** Another replica may have recorded a step since this one's snapshot. */
    this.settings.refresh()
    const done = new Set(await this.settings.get('onboarding.steps'))
    await this.settings.set('onboarding.steps', [...done.add(step)])
    return this.state()
  }

  /** @throws E_ONBOARDING_INCOMPLETE while a step is neither answered nor skipped */
  async complete({ user, address }: Actor): Promise<OnboardingState> {
    /** As in `stepDone`. */
    this.settings.refresh()
    if ((await this.#nextStep()) !== 'complete') throw new E_ONBOARDING_INCOMPLETE()
    await this.settings.set('onboarding.completed', true)
    await this.audit.record({ actor: user, action: 'onboarding.completed', address })
    return this.state()
  }

  async #nextStep(): Promise<OnboardingStep> {
    const done = await this.settings.get('onboarding.steps')
    return ANSWERED_STEPS.find((step) => !done.includes(step)) ?? 'complete'
  }
}
