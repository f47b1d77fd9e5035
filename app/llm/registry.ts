import { RuntimeException } from '@adonisjs/core/exceptions'
import type { LlmAdapter } from '#llm/contract'
import type { LlmAdapterFactory, LlmConfig } from '#llm/define_config'
import { E_UNKNOWN_PROVIDER_TYPE } from '#llm/errors'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'llm.registry': LlmRegistry
  }
}

/**
 * The known kinds of LLM services, from Mosaic's configuration and plugins. Adapters are stateless, so one of each
 * kind serves everyone.
 */
export class LlmRegistry {
  readonly #factories: Map<string, LlmAdapterFactory>
  readonly #made = new Map<string, LlmAdapter>()
  readonly #fakes = new Map<string, LlmAdapter>()
  readonly #extensions = new Set<string>()

  constructor(config: LlmConfig) {
    this.#factories = new Map(Object.entries(config.adapters))
  }

  /** Adds or replaces a kind; a plugin calls this while the application boots. */
  extend(type: string, factory: LlmAdapterFactory): void {
    this.#extensions.add(type)
    this.#factories.set(type, factory)
    this.#made.delete(type)
  }

  /**
   * Returns the adapter of a provider's type.
   *
   * @throws E_UNKNOWN_PROVIDER_TYPE
   */
  get(type: string): LlmAdapter {
    const made = this.#fakes.get(type) ?? this.#made.get(type)
    if (made) return made

    const factory = this.#factories.get(type)
    if (!factory) throw new E_UNKNOWN_PROVIDER_TYPE()
    const adapter = factory()
    if (adapter.type !== type) {
      throw new RuntimeException(`The adapter "${type}" calls itself "${adapter.type}"`)
    }
    this.#made.set(type, adapter)
    return adapter
  }

  /** Replaces the adapter of the double's type until `restore`, for tests. Returns the double. */
  fake<Fake extends LlmAdapter>(double: Fake): Fake {
    if (!this.#factories.has(double.type)) throw new E_UNKNOWN_PROVIDER_TYPE()
    this.#fakes.set(double.type, double)
    return double
  }

  /** Removes the double of that type, or all doubles. */
  restore(type?: string): void {
    if (type === undefined) this.#fakes.clear()
    else this.#fakes.delete(type)
  }

  /** Returns the types that plugins added. */
  extensions(): string[] {
    return [...this.#extensions]
  }

  has(type: string): boolean {
    return this.#factories.has(type)
  }

  /** Returns all adapters, in the form's order. */
  all(): LlmAdapter[] {
    return [...this.#factories.keys()].map((type) => this.get(type))
  }
}
