import { RuntimeException } from '@adonisjs/core/exceptions'
import type { SignInService } from '#identity/services/contract'
import type { SignInConfig, SignInServiceFactory } from '#identity/services/define_config'
import { E_UNKNOWN_SERVICE } from '#identity/services/errors'

/** What a name must be to stand in an address and in the record. */
const NAME = /^[a-z][a-z0-9_-]{0,31}$/

/** How else a session can begin. */
const RESERVED = ['oidc', 'password', 'breakglass', 'token']

/** The kinds of services that people can sign in with: those of `config/sign_in.ts` and of plugins. */
export class ServiceRegistry {
  readonly #services = new Map<string, SignInService>()

  constructor({ services }: SignInConfig) {
    for (const [name, factory] of Object.entries(services)) this.extend(name, factory)
  }

  /**
   * Adds a service, or replaces one; a plugin calls this while the application boots.
   *
   * @throws RuntimeException for a name that cannot be one
   */
  extend(name: string, factory: SignInServiceFactory): void {
    const service = factory()
    if (service.name !== name || !NAME.test(name) || RESERVED.includes(name)) {
      throw new RuntimeException(`The sign-in service "${name}" calls itself "${service.name}"`)
    }
    this.#services.set(name, service)
  }

  find(name: string): SignInService | null {
    return this.#services.get(name) ?? null
  }

  /** @throws E_UNKNOWN_SERVICE */
  get(name: string): SignInService {
    const service = this.find(name)
    if (!service) throw new E_UNKNOWN_SERVICE()
    return service
  }

  /** All of them, in the order in which pages offer them. */
  all(): SignInService[] {
    return [...this.#services.values()]
  }
}
