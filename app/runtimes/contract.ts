/**
 * A runtime driver runs agents. It creates one *instance* (a process, a container, a service) per agent and
 * reports its state. It holds no policy: its callers decide when to start, stop or retry.
 *
 * Rules for every verb
 * - `signal` ends the wait: the verb rejects with the signal's reason and leaves nothing half made.
 * - A failure is a `RuntimeError`, or an error of another class that has a `code` which begins with `E_` and a `reason`
 *   from the closed list `FAILURE_REASONS`.
 * - A driver touches only objects with the label of its own installation.
 */
import type { Server } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type { Secret } from '@adonisjs/core/helpers'
import type { FailureReason } from '#runtimes/errors'
import type { NodeLabels, RuntimeNodes } from '#runtimes/node_contract'

export type { NodeLabels, RuntimeNode, RuntimeNodes } from '#runtimes/node_contract'

/** The abilities of a driver. Tests and callers check these flags, never a driver's name. */
export interface RuntimeCapabilities {
  /**
   * The isolation between agents: none; a system user each; a sandbox of namespaces each over the
   * machine's files, with its own network or the machine's; a container each, with its own file system
   * and network, whatever creates it and whatever runs in it.
   */
  isolation: 'none' | 'user' | 'sandbox' | 'sandbox-shared-network' | 'container'
  /** Whether `suspend` and `resume` exist. */
  suspend: boolean
  /** Whether `pageOut` moves anything, if the machine has swap. */
  pageOut?: boolean
  /** Whether the driver enforces a spec's `limits`. */
  limits: boolean
  /** Whether instances may run on other machines than Mosaic. */
  multiNode: boolean
  /** Whether `events` exists. */
  events: boolean
  /** Whether the driver honours a spec's `placement`. */
  placement?: boolean
}

/** The limits of one instance. */
export interface InstanceLimits {
  /** Mebibytes of memory. */
  memoryMb: number
  /** Processor cores; a fraction is allowed. */
  cpus: number
  /** Processes and threads. */
  processes: number
}

/** Everything a driver needs to create an instance: a pure value. */
export interface InstanceSpec {
  /** Unique within the installation, and safe as a file or host name: `mosaic-user-<user id>`. */
  name: string
  /** The agent of the instance, as the launcher names it in its requests: `user/<id>` or `system/<id>`. */
  agent: string
  /** Identifies this installation of Mosaic; every instance carries it. */
  installation: string
  /** Increases with each change of the spec. */
  generation: number
  /** SHA-256 of all fields but `generation`, the token included. An equal hash means an equal spec. */
  hash: string
  /** The address of Mosaic's internal listener for the instance, without a trailing slash. */
  apiUrl: string
  /** The agent's gateway token. It reaches the instance by file, never by argument or environment. */
  token: Secret<string>
  /** The image to run, for a driver that has images. */
  image: string | null
  limits: InstanceLimits
  /** Labels that a node must have to run it, by key; only for drivers with the capability `placement`. */
  placement?: NodeLabels
}

/** A driver's notes about an instance, kept in the agent's row. JSON, without secrets. */
export type DriverState = Record<string, unknown>

/** Identifies an instance, with the notes that the driver made when it created the instance. */
export interface InstanceRef {
  name: string
  state: DriverState | null
}

/** A started instance. It need not be ready: its gateway may still boot. */
export interface Instance extends InstanceRef {
  /** The driver's id of the instance: a process id, a container id. Changes with each start. */
  id: string
  /** The address of its gateway for Mosaic: `http://host:port`, without a trailing slash. */
  endpoint: string
  state: DriverState
}

/** The state of an instance as its driver observes it. */
export interface Observed {
  name: string
  agent: string
  id: string
  generation: number
  /** The hash of the spec that created it. */
  specHash: string
  status: 'running' | 'suspended' | 'exited'
  /** Set while it runs. */
  endpoint: string | null
  startedAt: Date | null
  /** Set once it has exited and the driver knows. */
  exitCode: number | null
  outOfMemory: boolean
  /** The result of the driver's own health check, if it has one. Mosaic probes the gateway as well. */
  health?: 'starting' | 'healthy' | 'unhealthy' | null
  /** Why it ended without a stop, if the driver knows; the message is for the log. */
  failure: { reason: FailureReason; message: string } | null
  state: DriverState
}

/** The memory of one instance, in bytes. */
export interface MemoryUse {
  /** In the machine's memory. */
  resident: number
  swapped: number
}

/** The memory of the machine that runs the instances, in bytes. */
export interface MachineMemory {
  total: number
  /** Memory available to programs without swapping. */
  available: number
  swapTotal: number
  swapFree: number
}

/** A change of an instance. A driver may miss some: `list` is the source of truth. */
export interface RuntimeEvent {
  /** `interrupted`: the driver lost its engine for a while, so any instance may have changed. */
  type: 'started' | 'exited' | 'suspended' | 'resumed' | 'removed' | 'interrupted'
  /** Of the instance; empty with `interrupted`. */
  name: string
  at: Date
}

/** A fault or warning about a runtime on this machine, and how to fix it. */
export interface RuntimeFinding {
  severity: 'error' | 'warning'
  code: string
  message: string
  hint: string
  /** A link to documentation, beginning with `https://`. Mosaic shows no other. */
  link?: string
}

export interface RuntimeContext {
  signal: AbortSignal
  /** Reports the current slow step, in words for a person: "Fetching the image, layer 3 of 8". */
  onProgress?: (detail: string) => void
  /** For `ensure`: the notes in the agent's row, from its last start or import with this driver. */
  state?: DriverState | null
}

/** How instances reach a listener of Mosaic. */
export interface RuntimeCallback {
  /** The name or address that they use. */
  host: string
  /** The port that they use, if it differs from the port of Mosaic's internal listener. */
  port?: number
  /** An additional address of this machine for Mosaic to listen on; null if its own address suffices. */
  listen: string | null
  /** Opens a listener outside the networks of this machine, in place of `listen`. */
  open?(): Promise<Server>
}

export interface RuntimeDriver {
  readonly name: string
  /** The display name, such as "Firecracker"; the pages default to `name`. */
  readonly label?: string
  /** One sentence for the pages on what agents run in. */
  readonly description?: string
  readonly capabilities: RuntimeCapabilities
  /** The machines that run its instances, if it manages several. */
  readonly nodes?: RuntimeNodes

  /**
   * Runs an instance of this spec, and resolves once it is started, which may be before it is ready.
   * Idempotent: with the same hash it returns the running instance, for any number of concurrent
   * callers; with another hash it replaces the old instance. It keeps the agent's data. It never
   * touches a foreign object of the same name: E_RUNTIME_NAME_TAKEN. It starts no agent without its
   * data where the notes name another engine that has it: `data_stranded`, also of `exportData`.
   */
  ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance>

  /**
   * Asks the instance to stop, and kills it after `graceMs`. Resolves when none of its processes is
   * running. A no-op if the instance is missing or has ended. Keeps the data.
   */
  stop(ref: InstanceRef, options: { graceMs: number }): Promise<void>

  /**
   * Suspends the instance: takes its processor time and keeps its memory. A no-op if it is suspended
   * already.
   */
  suspend?(ref: InstanceRef): Promise<void>

  /** Resumes a suspended instance. A no-op if the instance runs. */
  resume?(ref: InstanceRef): Promise<void>

  /**
   * Moves a suspended instance's memory to swap, while there is room. Ends early and without an error if the
   * instance resumes, which never waits for it, or if the signal aborts. A no-op if the instance is not
   * suspended.
   */
  pageOut?(ref: InstanceRef, options: { signal: AbortSignal }): Promise<void>

  /** Returns an instance's memory use, or null if unknown. */
  usage?(ref: InstanceRef): Promise<MemoryUse | null>

  /** Returns the memory of the machine that runs the instances, or null if unknown. */
  memory?(): Promise<MachineMemory | null>

  /** Returns the instance of this name, or null if there is none. Changes nothing. */
  inspect(ref: InstanceRef): Promise<Observed | null>

  /** Yields every instance of this installation once, running or not, in no particular order. */
  list(): AsyncIterable<Observed>

  /** Ends and removes the instance, never the data. A no-op if the instance is missing. */
  remove(ref: InstanceRef): Promise<void>

  /** Deletes an agent's instance, its data, and data that imports set aside. A no-op if there is none. */
  purge(ref: InstanceRef): Promise<void>

  /**
   * Exports an agent's data to another runtime: a tar archive of the contents of its state folder
   * (`./openclaw.json`), all owned by 1000:1000. Returns null if there is no data. The agent must not
   * run. Changes nothing. A failure midway ends the stream with an error; a caller that stops reading
   * early destroys the stream.
   */
  exportData?(ref: InstanceRef, context: RuntimeContext): Promise<Readable | null>

  /**
   * Replaces the agent's data here with such an archive. The agent must not run. Resolves once all data
   * is in place. All or nothing: after a failure nothing of the archive remains, and the next `ensure`
   * starts with the previous data. The replaced data is set aside until `keepImport` or `undoImport`. A
   * second import before either of them replaces what the first one brought; the data set aside stays.
   *
   * @returns notes of where the data is, for the agent's row
   */
  importData?(
    spec: InstanceSpec,
    data: Readable,
    context: RuntimeContext
  ): Promise<DriverState | void>

  /**
   * Deletes data that imports set aside. Mosaic calls it at each start, once the gateway is ready. A
   * no-op if nothing is set aside. A driver with `importData` must have this and `undoImport`.
   */
  keepImport?(ref: InstanceRef): Promise<void>

  /**
   * Deletes the instance and the imported data. The data set aside by the import stays until the next
   * `ensure` starts with it; until then `exportData` returns null. Mosaic calls it when the imported
   * data moves on to another runtime before any start with it succeeded. The agent must not run.
   *
   * @returns false if nothing is set aside; then nothing has changed
   */
  undoImport?(ref: InstanceRef): Promise<boolean>

  /**
   * Yields the last `tail` lines of its output, oldest first; none for a missing instance. Yields at
   * most four million characters, however long the lines are.
   */
  logs(ref: InstanceRef, options: { tail: number }): AsyncIterable<string>

  /** Yields events from now on, until the signal aborts. May miss an event, never invents one. */
  events?(signal: AbortSignal): AsyncIterable<RuntimeEvent>

  /** Returns how instances reach Mosaic; null or omitted if its own listener on loopback suffices. */
  callback?(): Promise<RuntimeCallback | null>

  /**
   * Opens a connection to an instance's gateway and sends nothing; `endpoint` as in `Instance`. For drivers
   * whose gateways no plain connection reaches, or that first verify who answers. The host of such an
   * endpoint ends in `.<driver name>.internal`, by which Mosaic finds the driver. Rejects with an error that
   * has a `code`, such as ECONNREFUSED, or with the signal's reason.
   */
  dial?(endpoint: URL, signal?: AbortSignal): Promise<Duplex>

  /**
   * Does slow work in advance, such as pulling the image, so that no wake waits for it. A no-op if it
   * is done already. `image` as in a spec.
   */
  prepare?(image: string | null, context: RuntimeContext): Promise<void>

  /**
   * Returns the faults of this runtime on this machine, and their fixes. An empty list means healthy.
   * Never throws.
   */
  preflight(): Promise<RuntimeFinding[]>

  /** Closes the driver's own connections and watchers. Instances keep running. */
  close?(): Promise<void>
}
