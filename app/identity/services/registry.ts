import { RuntimeException } from '@adonisjs/core/exceptions'
import type { SignInService, SignInServiceFactory } from '#identity/services/contract'
import { E_UNKNOWN_SERVICE } from '#identity/services/errors'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'identity.services.registry': ServiceRegistry
  }
}

export interface SignInConfig {
  /** Keyed by name. */
  services: Record<string, SignInServiceFactory>
}

/** Names that can appear in a URL and in the audit record. */
const NAME = /^[a-z][a-z0-9_-]{0,31}$/

/** Names of the other ways to start a session. */
const RESERVED = ['oidc', 'password', 'breakglass', 'token']

/** Kinds of sign-in services: those of `config/sign_in.ts` and of plugins. */
export class ServiceRegistry {
  readonly #services = new Map<string, SignInService>()
  /** Names in `config/sign_in.ts`. */
  readonly #configured: string[]

  constructor({ services }: SignInConfig) {
    for (const [name, factory] of Object.entries(services)) this.extend(name, factory)
    this.#configured = Object.keys(services)
  }

  /**
   * Adds or replaces a service; a plugin calls this while the application boots.
   *
   * @throws RuntimeException for an invalid name
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

  /** Returns the names that plugins added. */
  extensions(): string[] {
    return [...this.#services.keys()].filter((name) => !this.#configured.includes(name))
  }

  /** Lists all services, in display order. */
  all(): SignInService[] {
    return [...this.#services.values()]
  }
}
