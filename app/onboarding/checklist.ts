import AgentSummary from '#models/agent_summary'
import SignInService from '#models/sign_in_service'
import User from '#models/user'
import type { RuntimeManager } from '#runtimes/manager'
import type { Settings } from '#settings/settings'
import type { UnlistedProxies } from '#settings/unlisted_proxies'

/** Tasks that complete an installation after set-up, most important first. */
export const CHECKLIST = [
  'runtime',
  'firstAnswer',
  'publicAddress',
  'proxies',
  'signIn',
  'people',
  'backup',
] as const
export type ChecklistItem = (typeof CHECKLIST)[number]

export interface ChecklistState {
  /** Whether an admin has dismissed it. */
  hidden: boolean
  items: { name: ChecklistItem; done: boolean }[]
}

export interface ChecklistChanges {
  hidden?: boolean
  /** Mosaic cannot detect backups, so an admin confirms them. */
  backup?: boolean
}

/** Tasks left after set-up. Computed on each call, so it is always current. */
export class Checklist {
  constructor(
    protected settings: Settings,
    protected runtimes: Pick<RuntimeManager, 'preflight'>,
    protected unlistedProxies: Pick<UnlistedProxies, 'list'>
  ) {}

  async state(): Promise<ChecklistState> {
    const checks: Record<ChecklistItem, () => Promise<boolean>> = {
      runtime: () => this.#canStart(),
      firstAnswer: async () =>
        (await AgentSummary.query().whereNotNull('last_active_at').first()) !== null,
      publicAddress: async () => (await this.settings.get('network.publicUrl')) !== null,
      proxies: async () => (await this.unlistedProxies.list()).length === 0,
      signIn: async () =>
        (await this.settings.get('oidc.issuerUrl')) !== null ||
        (await SignInService.findBy('isActive', true)) !== null,
      people: async () => (await User.query().limit(2)).length > 1,
      backup: () => this.settings.get('onboarding.backupMade'),
    }
    const items = await Promise.all(
      CHECKLIST.map(async (name) => ({ name, done: await checks[name]() }))
    )
    return {
      hidden: await this.settings.get('onboarding.checklistHidden'),
      /** Most installations have no proxy to list, so a finished item is left out. */
      items: items.filter(({ name, done }) => name !== 'proxies' || !done),
    }
  }

  /** Returns false as well for a driver that is no longer registered. */
  async #canStart(): Promise<boolean> {
    const driver = await this.settings.get('runtime.driver')
    const findings = await this.runtimes.preflight(driver).catch(() => null)
    return findings?.every(({ severity }) => severity !== 'error') ?? false
  }

  async update({ hidden, backup }: ChecklistChanges): Promise<ChecklistState> {
    if (hidden !== undefined) await this.settings.set('onboarding.checklistHidden', hidden)
    if (backup !== undefined) await this.settings.set('onboarding.backupMade', backup)
    return this.state()
  }
}
