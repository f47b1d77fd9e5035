import type { Duplex } from 'node:stream'
import { DriverManager, type DriverFactory, type DriverName } from '#drivers/driver_manager'
import type { RuntimeDriver, RuntimeFinding } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'
import { raceSignal } from '#timing/race_signal'
import type { RuntimeConfig, RuntimeDriverContext } from '#runtimes/define_config'
import { launchFor, type LaunchConfig } from '#runtimes/launch'
import {
  checkOptions,
  defaultsOf,
  type RuntimeOption,
  type RuntimeOptionValues,
} from '#runtimes/options'

/** Probes of an engine's isolation take some seconds each. */
const PREFLIGHT_MS = 2 * 60_000

/** A host that only a driver can resolve; it contains the driver's name. */
const DIALED = /\.([a-z0-9-]+)\.internal$/

/** Names of the configured runtime drivers, inferred from `config/runtime.ts`. */
export interface RuntimeDrivers {}

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'runtime.manager': RuntimeManager
  }
}

/** A driver's option values as set by admins; options that were never set are left out. */
export type StoredOptions = (driver: string) => Promise<RuntimeOptionValues>

/** Manages the runtime drivers. Instances of several drivers may exist side by side. */
export class RuntimeManager extends DriverManager<RuntimeDriver, RuntimeDriverContext> {
  readonly #launch: LaunchConfig
  readonly #installation: () => Promise<string>
  readonly #stored: StoredOptions
  readonly #options = new Map<string, readonly RuntimeOption[]>()
  #label: Promise<string> | null = null

  constructor(
    config: RuntimeConfig,
    installation: () => Promise<string>,
    stored: StoredOptions = async () => ({})
  ) {
    super('runtime', config)
    this.#launch = config.launch
    this.#installation = installation
    this.#stored = stored
    for (const [name, options] of Object.entries(config.options ?? {})) {
      checkOptions(name, options)
      this.#options.set(name, options)
    }
  }

  /**
   * Extends `DriverManager` by the options that the pages show as a form.
   *
   * @throws E_RUNTIME_OPTION
   */
  override extend(
    name: string,
    factory: DriverFactory<RuntimeDriver, RuntimeDriverContext>,
    { options = [] }: { options?: readonly RuntimeOption[] } = {}
  ): void {
    checkOptions(name, options)
    super.extend(name, factory)
    this.#options.set(name, options)
  }

  /** Returns a driver's options in form order. */
  optionsOf(name: string): readonly RuntimeOption[] {
    return this.#options.get(name) ?? []
  }

  override use<Name extends string>(
    name?: DriverName<Name, RuntimeDrivers>
  ): Promise<RuntimeDriver> {
    return super.use(name)
  }

  /**
   * Returns the label of everything that this installation starts: `InstanceSpec.installation`. Read
   * once, so that a driver and its specs always agree.
   */
  installation(): Promise<string> {
    this.#label ??= this.#installation()
    this.#label.catch(() => (this.#label = null))
    return this.#label
  }

  /**
   * Connects to an instance's gateway through its driver. Returns null if plain TCP reaches the
   * endpoint.
   *
   * @throws what `RuntimeDriver.dial` throws
   */
  async dial(endpoint: URL, signal?: AbortSignal): Promise<Duplex | null> {
    const name = DIALED.exec(endpoint.hostname)?.[1]
    if (!name) return null
    const driver = await this.use(name)
    return (await driver.dial?.(endpoint, signal)) ?? null
  }

  /**
   * Returns the faults of a driver here: the named one, or the default.
   *
   * @throws RuntimeError `engine_unreachable` after two minutes, and what the driver throws
   */
  async preflight(name?: string): Promise<RuntimeFinding[]> {
    const driver = await this.use(name)
    const late = AbortSignal.timeout(PREFLIGHT_MS)
    return raceSignal(driver.preflight(), late).catch((cause: unknown) => {
      if (!late.aborted) throw cause
      const message = `The runtime "${driver.name}" did not finish its check within two minutes.`
      const help = 'Check that its engine answers, then check the runtime again.'
      throw new RuntimeError('engine_unreachable', message, { cause, help })
    })
  }

  /** Closes the drivers' resources. Instances keep running. */
  async close(): Promise<void> {
    for (const driver of await this.takeMade()) await driver.close?.()
  }

  protected override async context(name: string): Promise<RuntimeDriverContext> {
    return {
      installation: await this.installation(),
      launch: launchFor(name, this.#launch),
      options: async () => ({
        ...defaultsOf(this.optionsOf(name)),
        ...(await this.#stored(name)),
      }),
    }
  }
}
