/**
 * Where agents run. A driver makes one *instance* (a process, a container, a service) for one agent and
 * answers what it sees of it. It holds no policy: when to start, stop or retry is decided elsewhere.
 *
 * Rules for every verb
 * - `signal` ends the wait: the verb rejects with the signal's reason and leaves nothing half made.
 * - A failure is a `RuntimeError` of `#runtimes/errors` with one of the closed list of reasons.
 * - A driver touches only what carries the label of its own installation.
 */
import type { Server } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type { Secret } from '@adonisjs/core/helpers'
import type { FailureReason } from '#runtimes/errors'

/** What a driver can do. Tests and callers ask these flags, never for a driver's name. */
export interface RuntimeCapabilities {
  /**
   * What keeps one agent from another: nothing, a system user for each, a sandbox of namespaces for each on
   * the machine's files, or a container.
   */
  isolation: 'none' | 'user' | 'sandbox' | 'container'
  /** Whether `suspend` and `resume` exist. */
  suspend: boolean
  /** Whether `limits` of a spec are enforced. */
  limits: boolean
  /** Whether instances may run on other machines than Mosaic. */
  multiNode: boolean
  /** Whether `events` exists. */
  events: boolean
}

/** Ceilings of one instance. */
export interface InstanceLimits {
  /** Mebibytes of memory. */
  memoryMb: number
  /** Processor cores; a fraction is allowed. */
  cpus: number
  /** Processes and threads. */
  processes: number
}

/** Everything a driver needs to make an instance: a pure value. */
export interface InstanceSpec {
  /** Unique within the installation, and safe as a file or host name: `mosaic-user-<user id>`. */
  name: string
  /** The agent it is for, as the launcher asks for its document: `user/<id>` or `system/<id>`. */
  agent: string
  /** Names this installation of Mosaic; every instance carries it. */
  installation: string
  /** Counts up with each change of the spec. */
  generation: number
  /** SHA-256 of everything here but `generation`, the token included. The same hash means: nothing changed. */
  hash: string
  /** Where the instance reaches Mosaic's internal listener, without a slash at the end. */
  apiUrl: string
  /** The agent's gateway token. It reaches the instance by file, never by argument or environment. */
  token: Secret<string>
  /** What runs in the instance, where the driver has images. */
  image: string | null
  limits: InstanceLimits
}

/** The driver's own notes about an instance, kept in the agent's row. JSON, without secrets. */
export type DriverState = Record<string, unknown>

/** Names an instance, with what the driver noted about it when it was made. */
export interface InstanceRef {
  name: string
  state: DriverState | null
}

/** An instance that was started. It need not be ready: its gateway still boots. */
export interface Instance extends InstanceRef {
  /** The driver's id of it: a process id, a container id. Changes with each start. */
  id: string
  /** Where Mosaic reaches its gateway: `http://host:port`, without a slash at the end. */
  endpoint: string
  state: DriverState
}

/** What a driver sees of an instance. */
export interface Observed {
  name: string
  agent: string
  id: string
  generation: number
  /** The hash of the spec it was made from. */
  specHash: string
  status: 'running' | 'suspended' | 'exited'
  /** Set while it runs. */
  endpoint: string | null
  startedAt: Date | null
  /** Set once it has exited and the driver knows. */
  exitCode: number | null
  outOfMemory: boolean
  /** What its own health check says, where the driver has one. Mosaic asks the gateway itself as well. */
  health?: 'starting' | 'healthy' | 'unhealthy' | null
  /** Why it ended without having been asked to, where the driver can tell; the message is for the log. */
  failure: { reason: FailureReason; message: string } | null
  state: DriverState
}

/** What happened to an instance. Some may be missed: `list` is the truth. */
export interface RuntimeEvent {
  type: 'started' | 'exited' | 'suspended' | 'resumed' | 'removed'
  name: string
  at: Date
}

/** Something that is wrong or worth knowing about a runtime here, and how to mend it. */
export interface RuntimeFinding {
  severity: 'error' | 'warning'
  code: string
  message: string
  hint: string
}

export interface RuntimeContext {
  signal: AbortSignal
  /** Tells what takes long, in words for a person: "Fetching the image, layer 3 of 8". */
  onProgress?: (detail: string) => void
}

/** Where instances reach a listener of Mosaic. */
export interface RuntimeCallback {
  /** The name or address that they use. */
  host: string
  /** The port that they use, where it is not that of Mosaic's internal listener. */
  port?: number
  /** The address of this machine that Mosaic listens on for them beside its own; null where its own will do. */
  listen: string | null
  /** Opens a listener that is in no network of this machine, in place of `listen`. */
  open?(): Promise<Server>
}

export interface RuntimeDriver {
  readonly name: string
  readonly capabilities: RuntimeCapabilities

  /**
   * Makes an instance of this spec run, and returns once it is started, not once it is ready.
   * Idempotent: with the same hash it gives back the running instance, however many callers ask at
   * once; with another hash the old instance is replaced. The agent's data is kept.
   * A foreign thing of the same name is left alone: E_RUNTIME_NAME_TAKEN.
   */
  ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance>

  /**
   * Ends the instance: asks it to stop, and kills it after `graceMs`. Resolves when nothing of it runs.
   * A missing or already ended instance is success. Data is kept.
   */
  stop(ref: InstanceRef, options: { graceMs: number }): Promise<void>

  /** Takes its processor time and keeps its memory. Suspending what is suspended is success. */
  suspend?(ref: InstanceRef): Promise<void>

  /** Lets a suspended instance go on. Resuming what runs is success. */
  resume?(ref: InstanceRef): Promise<void>

  /** What is there under this name, or null where nothing is. Does not change anything. */
  inspect(ref: InstanceRef): Promise<Observed | null>

  /** Every instance of this installation, running or not, each once, in no order. */
  list(): AsyncIterable<Observed>

  /** Ends and forgets the instance, never the data. A missing instance is success. */
  remove(ref: InstanceRef): Promise<void>

  /** Deletes the data of an agent, and the instance with it. Missing data is success. */
  purge(ref: InstanceRef): Promise<void>

  /**
   * The data of an agent, on its way to another runtime: a tar archive of what lies in its state folder
   * (`./openclaw.json`), all of it owned by 1000:1000. Null where there is none. Nothing of the agent may
   * run, and nothing changes. What goes wrong on the way ends the stream with an error; a caller who has
   * enough destroys it.
   */
  exportData?(ref: InstanceRef, context: RuntimeContext): Promise<Readable | null>

  /**
   * Puts such an archive in the place of whatever data the agent has here. Nothing of the agent may run.
   * Resolves once all of it is there. Whole or not at all: when it fails the agent has no data here.
   */
  importData?(spec: InstanceSpec, data: Readable, context: RuntimeContext): Promise<void>

  /** The last `tail` lines that it wrote, oldest first. Nothing for a missing instance. */
  logs(ref: InstanceRef, options: { tail: number }): AsyncIterable<string>

  /** What happens from now on, until the signal. May miss some, never invents one. */
  events?(signal: AbortSignal): AsyncIterable<RuntimeEvent>

  /** How instances reach a listener of Mosaic; null or left out where Mosaic's own on loopback will do. */
  callback?(): Promise<RuntimeCallback | null>

  /**
   * A connection to the gateway of an instance, before a byte is sent; `endpoint` as `Instance` has it. For
   * drivers whose gateways no plain connection reaches, or who make sure first who answers. The host of such
   * an endpoint ends in `.<driver name>.internal`, which is how Mosaic finds the driver. Rejects with an error
   * that has a `code`, as ECONNREFUSED, or with the signal's reason.
   */
  dial?(endpoint: URL, signal?: AbortSignal): Promise<Duplex>

  /**
   * Does ahead what takes long, as fetching the image, so that no wake has to wait for it. What is done
   * already is success. `image` as in a spec.
   */
  prepare?(image: string | null, context: RuntimeContext): Promise<void>

  /** What is wrong with this runtime here, and how to mend it. An empty list is health. Never throws. */
  preflight(): Promise<RuntimeFinding[]>

  /** Ends what the driver itself holds open. Instances go on running. */
  close?(): Promise<void>
}
