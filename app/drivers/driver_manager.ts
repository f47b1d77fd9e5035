import { E_UNKNOWN_DRIVER } from '#drivers/errors'

/** Makes a driver. Called once, when the driver is first used; again only after it failed. */
export type DriverFactory<Driver, Context = void> = (context: Context) => Driver | Promise<Driver>

export interface DriversConfig<Factories> {
  /** The driver that is meant where none is named. */
  default: keyof Factories & string
  drivers: Factories
}

/**
 * A driver's name, as `use` takes it: a literal has to be a name that a configuration file or a plugin
 * declared; a string from elsewhere, as from a row, may be any.
 */
export type DriverName<Name extends string, Declared> = string extends Name
  ? Name
  : Name extends keyof Declared & string
    ? Name
    : keyof Declared & string

/** Holds the drivers that a configuration file and plugins name, and makes each when it is first used. */
export abstract class DriverManager<Driver, Context = void> {
  readonly #default: string
  readonly #factories: Map<string, DriverFactory<Driver, Context>>
  readonly #made = new Map<string, Promise<Driver>>()
  readonly #fakes = new Map<string, Driver>()
  readonly #extensions = new Set<string>()

  /** `kind` names the drivers in messages, and their file in `config`. */
  constructor(
    protected kind: string,
    config: DriversConfig<Record<string, DriverFactory<Driver, Context>>>
  ) {
    this.#default = config.default
    this.#factories = new Map(Object.entries(config.drivers))
  }

  /** Returns the context that is passed to the factory of that name. */
  protected abstract context(name: string): Promise<Context>

  /** Adds a driver under a name, or replaces one that was not used yet. A plugin calls this at boot. */
  extend(name: string, factory: DriverFactory<Driver, Context>): void {
    this.#extensions.add(name)
    this.#factories.set(name, factory)
  }

  /** The names that plugins gave. */
  extensions(): string[] {
    return [...this.#extensions]
  }

  /** The drivers that there are. */
  names(): string[] {
    return [...this.#factories.keys()]
  }

  /**
   * The driver of that name, or the default one: always the same object for a name. A driver that could
   * not be made is made again at the next call.
   *
   * @throws E_UNKNOWN_DRIVER for a name that nobody gave, what the factory throws
   */
  async use(name: string = this.#default): Promise<Driver> {
    const made = this.#fakes.get(name) ?? this.#made.get(name)
    if (made) return made

    const factory = this.#factories.get(name)
    if (!factory) throw new E_UNKNOWN_DRIVER(this.kind, name)
    const driver = this.context(name).then(factory)
    this.#made.set(name, driver)
    driver.catch(() => this.#made.delete(name))
    return driver
  }

  /**
   * Creates a second driver of that name, as another process or the next start would. Returns a test double as it is.
   *
   * @throws like `use`
   */
  protected async another(name: string): Promise<Driver> {
    const fake = this.#fakes.get(name)
    if (fake) return fake
    const factory = this.#factories.get(name)
    if (!factory) throw new E_UNKNOWN_DRIVER(this.kind, name)
    return factory(await this.context(name))
  }

  /**
   * Puts a double in the place of a driver until `restore`, for tests. Returns the double.
   *
   * @throws E_UNKNOWN_DRIVER
   */
  fake<Fake extends Driver>(double: Fake, name: string = this.#default): Fake {
    if (!this.#factories.has(name)) throw new E_UNKNOWN_DRIVER(this.kind, name)
    this.#fakes.set(name, double)
    return double
  }

  /** Takes the double of the named driver away, or every double. The driver is as it was. */
  restore(name?: string): void {
    if (name === undefined) this.#fakes.clear()
    else this.#fakes.delete(name)
  }

  /** The driver that is meant where none is named. */
  get defaultName(): string {
    return this.#default
  }

  /** Forgets the drivers that were made, and returns those that could be. */
  protected async takeMade(): Promise<Driver[]> {
    const drivers = await Promise.allSettled(this.#made.values())
    this.#made.clear()
    return drivers.flatMap((driver) => (driver.status === 'fulfilled' ? [driver.value] : []))
  }
}
