import type { Duplex } from 'node:stream'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { RuntimeDriver, RuntimeFinding } from '#runtimes/contract'
import type { RuntimeConfig, RuntimeDriverFactory } from '#runtimes/define_config'

/** A host that only a driver finds; its name is in it. */
const DIALED = /\.([a-z0-9-]+)\.internal$/

/** Names of the configured runtime drivers, inferred from `config/runtime.ts`. */
export interface RuntimeDrivers {}

/**
 * Where agents run. It holds the drivers that `config/runtime.ts` and plugins name, and makes each when
 * it is first used. Instances of several drivers may exist side by side.
 */
export class RuntimeManager {
  readonly #config: RuntimeConfig<Record<string, RuntimeDriverFactory>>
  readonly #installation: () => Promise<string>
  readonly #factories: Map<string, RuntimeDriverFactory>
  readonly #made = new Map<string, Promise<RuntimeDriver>>()
  #label: Promise<string> | null = null

  constructor(
    config: RuntimeConfig<Record<string, RuntimeDriverFactory>>,
    installation: () => Promise<string>
  ) {
    this.#config = config
    this.#installation = installation
    this.#factories = new Map(Object.entries(config.drivers))
  }

  /** Adds a driver under a name, or puts one in the place of another that was not used yet. */
  extend(name: string, factory: RuntimeDriverFactory): void {
    this.#factories.set(name, factory)
  }

  /** The drivers that there are. */
  names(): string[] {
    return [...this.#factories.keys()]
  }

  /**
   * The label of everything that this installation starts: `InstanceSpec.installation`. Asked for once,
   * so that a driver and the specs it is given never disagree.
   */
  installation(): Promise<string> {
    this.#label ??= this.#installation()
    this.#label.catch(() => (this.#label = null))
    return this.#label
  }

  /** The driver of that name, or the default one. Always the same object for a name. */
  async use(
    name: (keyof RuntimeDrivers & string) | (string & {}) = this.#config.default
  ): Promise<RuntimeDriver> {
    const made = this.#made.get(name)
    if (made) return made

    const factory = this.#factories.get(name)
    if (!factory) {
      throw new RuntimeException(`Unknown runtime driver "${name}": name it in config/runtime.ts`)
    }
    const driver = this.installation().then((installation) => factory({ installation }))
    this.#made.set(name, driver)
    driver.catch(() => this.#made.delete(name))
    return driver
  }

  /**
   * A connection to the gateway of an instance by its driver, or null where the endpoint is an address that
   * plain TCP reaches.
   *
   * @throws what `RuntimeDriver.dial` throws
   */
  async dial(endpoint: URL, signal?: AbortSignal): Promise<Duplex | null> {
    const name = DIALED.exec(endpoint.hostname)?.[1]
    if (!name) return null
    const driver = await this.use(name)
    return (await driver.dial?.(endpoint, signal)) ?? null
  }

  /** What is wrong with a driver here: the named one, or the default one. */
  async preflight(name?: string): Promise<RuntimeFinding[]> {
    return (await this.use(name)).preflight()
  }

  /** Ends what the drivers hold open. Instances go on running. */
  async close(): Promise<void> {
    const drivers = await Promise.allSettled(this.#made.values())
    this.#made.clear()
    for (const driver of drivers) {
      if (driver.status === 'fulfilled') await driver.value.close?.()
    }
  }
}
