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

/** The steps in their order. The first makes the admin; `complete` is the last word. */
export const ONBOARDING_STEPS = [
  'breakglass',
  'auth',
  'provider',
  'systemAgents',
  'complete',
] as const
export type OnboardingStep = (typeof ONBOARDING_STEPS)[number]

/** The steps that an admin answers or skips, in any order and as often as they like. */
export type AnsweredStep = 'auth' | 'provider' | 'systemAgents'
const ANSWERED_STEPS: readonly AnsweredStep[] = ['auth', 'provider', 'systemAgents']

export interface OnboardingState {
  completed: boolean
  /** The next step. */
  step: OnboardingStep
}

/** Where the first boot stands. Everything it knows is in the database, so any replica can go on. */
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

  /** Asked of the database itself: a replica that has just lost the race must not see an old answer. */
  async isClaimed(): Promise<boolean> {
    return (await SystemConfig.findBy('key', 'onboarding.claimed')) !== null
  }

  /**
   * Takes the installation: makes its first admin. Of any number of callers one wins, and a crash on
   * the way leaves it as it was, because the claim and the account are one transaction.
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
   * An operator's account. On a new installation it takes the setup link's place: that claims nothing
   * any more.
   *
   * @throws E_USERNAME_TAKEN
   */
  claimFromCommandLine(credentials: Credentials): Promise<User> {
    return this.accounts.create(credentials, async (trx) => {
      await this.settings.claim('onboarding.claimed', true, trx)
    })
  }

  /** Notes that a step was answered or skipped. */
  async stepDone(step: AnsweredStep): Promise<OnboardingState> {
    const done = new Set(await this.settings.get('onboarding.steps'))
    await this.settings.set('onboarding.steps', [...done.add(step)])
    return this.state()
  }

  /** @throws E_ONBOARDING_INCOMPLETE while a step is neither answered nor skipped */
  async complete({ user, address }: Actor): Promise<OnboardingState> {
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
