import type { Readable } from 'node:stream'
import { setTimeout as after } from 'node:timers/promises'
import { RuntimeError, type FailureReason } from '#runtimes/errors'
import type {
  DriverState,
  Instance,
  InstanceRef,
  InstanceSpec,
  MachineMemory,
  MemoryUse,
  Observed,
  RuntimeContext,
  RuntimeDriver,
  RuntimeEvent,
  RuntimeFinding,
} from '#runtimes/contract'

type Verb =
  | 'ensure'
  | 'stop'
  | 'suspend'
  | 'resume'
  | 'pageOut'
  | 'usage'
  | 'memory'
  | 'inspect'
  | 'list'
  | 'remove'
  | 'purge'
  | 'exportData'
  | 'importData'
  | 'keepImport'
  | 'undoImport'

/** Faults of one verb's calls before they reach the real driver. */
export interface Chaos {
  /** Extra milliseconds per call. */
  slow?: number
  /** Calls never return; those with a signal end when it aborts. */
  never?: boolean
  /** Calls fail with this reason and do nothing. */
  bad?: FailureReason
  /** Share of calls, 0 to 1, that fail, with `bad` or else `engine_unreachable`. */
  flaky?: number
  /** Calls succeed, then fail as if the response was lost. */
  lost?: boolean
}

/**
 * Wraps any driver and injects faults: slow, hanging, failing, flaky, or losing responses. Change `chaos` at
 * any time. The same random numbers make the same calls fail.
 */
export class ChaosDriver implements RuntimeDriver {
  readonly chaos: Partial<Record<Verb | 'all', Chaos>> = {}
  /** Calls received, by verb. */
  readonly calls: Partial<Record<Verb, number>> = {}

  constructor(
    private readonly driver: RuntimeDriver,
    private readonly random: () => number = Math.random
  ) {
    if (!driver.capabilities.suspend) this.suspend = this.resume = undefined
    if (!driver.pageOut) this.pageOut = undefined
    if (!driver.usage) this.usage = undefined
    if (!driver.memory) this.memory = undefined
    if (!driver.capabilities.events) this.events = undefined
    if (!driver.exportData) this.exportData = undefined
    if (!driver.importData) this.importData = this.keepImport = this.undoImport = undefined
  }

  get name(): string {
    return this.driver.name
  }

  get capabilities(): RuntimeDriver['capabilities'] {
    return this.driver.capabilities
  }

  ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    return this.#through('ensure', () => this.driver.ensure(spec, context), context.signal)
  }

  stop(ref: InstanceRef, options: { graceMs: number }): Promise<void> {
    return this.#through('stop', () => this.driver.stop(ref, options))
  }

  suspend? = (ref: InstanceRef): Promise<void> =>
    this.#through('suspend', async () => this.driver.suspend!(ref))

  resume? = (ref: InstanceRef): Promise<void> =>
    this.#through('resume', async () => this.driver.resume!(ref))

  pageOut? = (ref: InstanceRef, options: { signal: AbortSignal }): Promise<void> =>
    this.#through('pageOut', async () => this.driver.pageOut!(ref, options), options.signal)

  usage? = (ref: InstanceRef): Promise<MemoryUse | null> =>
    this.#through('usage', async () => this.driver.usage!(ref))

  memory? = (): Promise<MachineMemory | null> =>
    this.#through('memory', async () => this.driver.memory!())

  inspect(ref: InstanceRef): Promise<Observed | null> {
    return this.#through('inspect', () => this.driver.inspect(ref))
  }

  async *list(): AsyncIterable<Observed> {
    yield* await this.#through('list', () => Array.fromAsync(this.driver.list()))
  }

  remove(ref: InstanceRef): Promise<void> {
    return this.#through('remove', () => this.driver.remove(ref))
  }

  purge(ref: InstanceRef): Promise<void> {
    return this.#through('purge', () => this.driver.purge(ref))
  }

  exportData? = (ref: InstanceRef, context: RuntimeContext): Promise<Readable | null> =>
    this.#through('exportData', async () => this.driver.exportData!(ref, context), context.signal)

  importData? = (
    spec: InstanceSpec,
    data: Readable,
    context: RuntimeContext
  ): Promise<DriverState | void> =>
    this.#through(
      'importData',
      async () => this.driver.importData!(spec, data, context),
      context.signal
    )

  keepImport? = (ref: InstanceRef): Promise<void> =>
    this.#through('keepImport', async () => this.driver.keepImport!(ref))

  undoImport? = (ref: InstanceRef): Promise<boolean> =>
    this.#through('undoImport', async () => this.driver.undoImport!(ref))

  logs(ref: InstanceRef, options: { tail: number }): AsyncIterable<string> {
    return this.driver.logs(ref, options)
  }

  events? = (signal: AbortSignal): AsyncIterable<RuntimeEvent> => this.driver.events!(signal)

  preflight(): Promise<RuntimeFinding[]> {
    return this.driver.preflight()
  }

  async close(): Promise<void> {
    await this.driver.close?.()
  }

  async #through<Value>(
    verb: Verb,
    call: () => Promise<Value>,
    signal?: AbortSignal
  ): Promise<Value> {
    this.calls[verb] = (this.calls[verb] ?? 0) + 1
    const { slow, never, bad, flaky, lost } = { ...this.chaos.all, ...this.chaos[verb] }
    if (never) await untilAborted(signal)
    if (slow) await after(slow, undefined, { signal }).catch(() => signal?.throwIfAborted())
    const unlucky = flaky === undefined || this.random() < flaky
    const fails = flaky !== undefined || bad !== undefined
    const failure = new RuntimeError(bad ?? 'engine_unreachable', `Chaos struck "${verb}".`)
    if (fails && unlucky && !lost) throw failure
    const answer = await call()
    if (lost && unlucky) throw failure
    return answer
  }
}

function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
