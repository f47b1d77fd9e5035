import type { Readable } from 'node:stream'
import { MemoryDriver, MemoryWorld } from '@mosaic/plugin-kit/testing'
import type {
  DriverState,
  Instance,
  InstanceRef,
  InstanceSpec,
  Observed,
  RuntimeCapabilities,
  RuntimeContext,
  RuntimeDriver,
  RuntimeDriverContext,
  RuntimeError,
  RuntimeFinding,
} from '@mosaic/plugin-kit/runtime'

/** In-memory stand-ins for an engine, by storage folder; lost when Mosaic's process ends. */
const engines = new Map<string, MemoryWorld>()

export function engineOf(storage: string): MemoryWorld {
  const engine = engines.get(storage) ?? new MemoryWorld()
  engines.set(storage, engine)
  return engine
}

/**
 * Runs each agent on Acme. Every verb still calls a stand-in inside Mosaic's process. Replace them one by
 * one, `ensure` first, and run `npm test` after each; `RuntimeDriver` documents what each verb promises.
 */
export class AcmeDriver implements RuntimeDriver {
  readonly name = 'acme'
  /** Shown under Administration → Runtime. */
  readonly label = 'Acme'
  readonly description = 'Agents run on Acme.'

  /** Capabilities of your driver. Each flag enables its tests. */
  readonly capabilities: RuntimeCapabilities = {
    isolation: 'none',
    suspend: false,
    limits: false,
    multiNode: false,
    events: false,
  }

  readonly #context: RuntimeDriverContext
  readonly #standIn: MemoryDriver

  /**
   * `context.launch` provides OpenClaw, its launcher, the Node that it runs on, and a folder for your data;
   * `context.options()` returns the values of `src/options.ts`.
   */
  constructor(context: RuntimeDriverContext) {
    this.#context = context
    const world = engineOf(context.launch.storage)
    this.#standIn = new MemoryDriver({ world, name: this.name }, context.installation)
  }

  /** Start here: run `launch.launcher` with the variables of `launcherEnvironment`. */
  async ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    // Throws if OpenClaw is not installed.
    this.#context.launch.openclaw()
    return this.#standIn.ensure(spec, context)
  }

  stop(ref: InstanceRef, _options: { graceMs: number }): Promise<void> {
    return this.#standIn.stop(ref)
  }

  inspect(ref: InstanceRef): Promise<Observed | null> {
    return this.#standIn.inspect(ref)
  }

  list(): AsyncIterable<Observed> {
    return this.#standIn.list()
  }

  remove(ref: InstanceRef): Promise<void> {
    return this.#standIn.remove(ref)
  }

  purge(ref: InstanceRef): Promise<void> {
    return this.#standIn.purge(ref)
  }

  logs(ref: InstanceRef, options: { tail: number }): AsyncIterable<string> {
    return this.#standIn.logs(ref, options)
  }

  exportData(ref: InstanceRef): Promise<Readable | null> {
    return this.#standIn.exportData(ref)
  }

  importData(spec: InstanceSpec, data: Readable, context: RuntimeContext): Promise<DriverState> {
    return this.#standIn.importData(spec, data, context)
  }

  keepImport(ref: InstanceRef): Promise<void> {
    return this.#standIn.keepImport(ref)
  }

  undoImport(ref: InstanceRef): Promise<boolean> {
    return this.#standIn.undoImport(ref)
  }

  /**
   * Reports what this machine lacks: an error for each condition that makes `ensure` fail, and for nothing
   * else.
   */
  async preflight(): Promise<RuntimeFinding[]> {
    try {
      this.#context.launch.openclaw()
      return []
    } catch (error) {
      const { message, help } = error as RuntimeError
      return [
        { severity: 'error', code: 'openclaw_missing', message, hint: help ?? 'Install OpenClaw.' },
      ]
    }
  }
}
