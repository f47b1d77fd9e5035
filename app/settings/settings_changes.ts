import { CodedError } from '#drivers/contract_error'
import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import { E_OPERATOR_SETTING, E_SETTINGS_SHAPE } from '#settings/errors'
import type { Settings } from '#settings/settings'

export class E_UNKNOWN_RUNTIME extends CodedError {
  static override status = 422
  readonly field = 'runtime.driver'

  constructor(known: string[]) {
    super('There is no runtime driver of this name.')
    this.help = `Choose one of: ${known.join(', ')}.`
  }
}

/** Validates a change before any of it is stored; throws to refuse it. */
export type SettingsCheck = (changes: Record<string, unknown>) => Promise<void>

/** Changes of settings by people: validated against the installation and recorded in the audit record. */
export class SettingsChanges {
  constructor(
    protected settings: Settings,
    protected runtimes: () => Promise<string[]>,
    protected audit: Audit,
    protected checks: SettingsCheck[] = []
  ) {}

  /**
   * Stores all values or none.
   *
   * @param by null for the command line, the only one that may change operator settings
   * @throws E_SETTINGS_SHAPE, E_OPERATOR_SETTING, E_UNKNOWN_SETTING, E_UNKNOWN_RUNTIME, E_VALIDATION_ERROR, and
   * errors of the checks
   */
  async apply(values: Record<string, unknown>, by: Actor | null): Promise<void> {
    await this.check(values, by)
    const keys = await this.settings.patch(values)
    if (keys.length > 0) {
      await this.audit.record({
        actor: by?.user,
        address: by?.address,
        action: 'settings.changed',
        details: { keys },
      })
    }
  }

  /** Validates like `apply`, and stores nothing. */
  async check(values: Record<string, unknown>, by: Actor | null): Promise<void> {
    const isOne = 'key' in values && 'value' in values
    if (Array.isArray(values) || isOne) throw new E_SETTINGS_SHAPE()
    const [operators] = by ? await this.settings.keysOf('operator', values) : []
    if (operators) {
      const { secret = false } = await this.settings.definition(operators)
      throw new E_OPERATOR_SETTING(operators, values[operators], secret)
    }
    const driver = values['runtime.driver']
    if (typeof driver === 'string') {
      const known = await this.runtimes()
      if (!known.includes(driver)) throw new E_UNKNOWN_RUNTIME(known)
    }
    /** Another replica may just have stored the secret that a check protects. */
    this.settings.refresh()
    for (const check of this.checks) await check(values)
    await this.settings.check(values)
  }
}
