import type {
  Instance,
  InstanceRef,
  InstanceSpec,
  Observed,
  RuntimeContext,
  RuntimeDriver,
  RuntimeFinding,
} from '#runtimes/contract'

/** A call that a replica may be ordered to die after. */
export type Verb = 'suspend'

/** Wraps a driver and reports steps: one when a call begins, one when it has ended. */
export class StepDriver implements RuntimeDriver {
  constructor(
    private readonly driver: RuntimeDriver,
    private readonly step: (ended?: Verb) => void
  ) {}

  get name(): string {
    return this.driver.name
  }

  get capabilities(): RuntimeDriver['capabilities'] {
    return { ...this.driver.capabilities, events: false }
  }

  ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    return this.#through(() => this.driver.ensure(spec, context))
  }

  stop(ref: InstanceRef, options: { graceMs: number }): Promise<void> {
    return this.#through(() => this.driver.stop(ref, options))
  }

  suspend(ref: InstanceRef): Promise<void> {
    return this.#through(() => this.driver.suspend!(ref), 'suspend')
  }

  resume(ref: InstanceRef): Promise<void> {
    return this.#through(() => this.driver.resume!(ref))
  }

  pageOut(ref: InstanceRef, options: { signal: AbortSignal }): Promise<void> {
    return this.#through(async () => this.driver.pageOut?.(ref, options))
  }

  inspect(ref: InstanceRef): Promise<Observed | null> {
    return this.#through(() => this.driver.inspect(ref))
  }

  async *list(): AsyncIterable<Observed> {
    yield* await this.#through(() => Array.fromAsync(this.driver.list()))
  }

  remove(ref: InstanceRef): Promise<void> {
    return this.#through(() => this.driver.remove(ref))
  }

  purge(ref: InstanceRef): Promise<void> {
    return this.#through(() => this.driver.purge(ref))
  }

  logs(ref: InstanceRef, options: { tail: number }): AsyncIterable<string> {
    return this.driver.logs(ref, options)
  }

  preflight(): Promise<RuntimeFinding[]> {
    return this.driver.preflight()
  }

  async #through<Value>(call: () => Promise<Value>, verb?: Verb): Promise<Value> {
    this.step()
    try {
      return await call()
    } finally {
      this.step(verb)
    }
  }
}
