import type { Settings } from '#settings/settings'
import { fingerprintOf, oidcConfig } from '#identity/oidc/config'
import { E_OIDC_NOT_TESTED, E_OIDC_SECRET_NEEDED } from '#identity/oidc/errors'

/** Settings that decide whether a sign-in with the provider can succeed. */
const KEYS = ['oidc.issuerUrl', 'oidc.clientId', 'oidc.clientSecret', 'oidc.scopes'] as const

/**
 * Whether single sign-on is the only way to sign in, apart from the local admin accounts. It cannot lock anyone
 * out: it applies only to settings that someone has signed in with, and ends when one of them changes.
 */
export class OidcEnforcement {
  constructor(protected settings: Settings) {}

  async isInForce(): Promise<boolean> {
    return (await this.settings.get('oidc.only')) && (await this.isTested())
  }

  /** Returns whether a test sign-in succeeded with the current settings. */
  async isTested(): Promise<boolean> {
    const config = await oidcConfig(this.settings)
    return config !== null && config.fingerprint === (await this.settings.get('oidc.tested'))
  }

  noteTest(fingerprint: string): Promise<void> {
    return this.settings.set('oidc.tested', fingerprint)
  }

  /**
   * Validates a change of settings before any of it is stored.
   *
   * @throws E_OIDC_NOT_TESTED, E_OIDC_SECRET_NEEDED
   */
  async check(changes: Record<string, unknown>): Promise<void> {
    await this.#checkSecret(changes)
    if (changes['oidc.only'] !== true) return
    const [issuerUrl, clientId, clientSecret, scopes] = await Promise.all(
      KEYS.map(async (key) => (key in changes ? changes[key] : await this.settings.get(key)))
    )
    const next = { issuerUrl, clientId, clientSecret, scopes } as Parameters<
      typeof fingerprintOf
    >[0]
    const tested = await this.settings.get('oidc.tested')
    if (!issuerUrl || fingerprintOf(next) !== tested) throw new E_OIDC_NOT_TESTED()
  }

  /** Otherwise an admin who changes the address could have the secret sent to their own server. */
  async #checkSecret(changes: Record<string, unknown>): Promise<void> {
    const next = changes['oidc.issuerUrl']
    if (typeof next !== 'string' || 'oidc.clientSecret' in changes) return
    const present = await this.settings.get('oidc.issuerUrl')
    const moves = !present || URL.parse(next)?.origin !== URL.parse(present)?.origin
    if (moves && (await this.settings.get('oidc.clientSecret')) !== null) {
      throw new E_OIDC_SECRET_NEEDED()
    }
  }
}
