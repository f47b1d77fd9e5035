import type { DriverState, Instance, RuntimeCapabilities, RuntimeDriver } from '#runtimes/contract'

/** Test environment of a driver. Its gateways keep sessions as OpenClaw does. */
export interface RuntimeTrial {
  /** Opens a driver over the same engine: the first, or another one as after a restart of Mosaic. */
  open(installation: string): Promise<RuntimeDriver>
  /** Where instances fetch their documents; any address for drivers that fetch none. */
  apiUrl: string
  /** The same for instances of one installation, if it differs. */
  apiUrlOf?(installation: string): string
  /**
   * Opens a driver that cannot start anything, for example because OpenClaw is not installed. Its preflight
   * reports that. Undefined if nothing can be missing.
   */
  broken?(): Promise<RuntimeDriver>
  /** Kills an instance from outside, as a crash or an admin would. */
  kill(instance: Instance): Promise<void>
  /** Creates a foreign object of this name. Returns a check that it is unchanged. */
  plant(name: string): Promise<() => Promise<boolean>>
  /** Runs test code within an instance, as an agent's own tools would. Required for every isolation. */
  within?: InstanceTrial
  /**
   * Turns notes of a start into those that the same start on another engine would leave. Undefined if all data
   * is on one machine.
   */
  elsewhere?(notes: DriverState): DriverState
  /** Kills the engine and starts it again. Undefined if there is no engine. */
  restartEngine?(): Promise<void>
  /** Stops and removes everything. */
  close(): Promise<void>
}

export interface InstanceTrial {
  /** Runs a command in a shell of the instance. */
  run(instance: Instance, command: string): Promise<{ code: number | null; output: string }>
  /** Connects from within. Returns `connected`, `timeout`, or an error code. */
  connect(instance: Instance, host: string, port: number): Promise<string>
  /** Allocates that much memory and keeps it. Rejects if the instance does not survive. */
  takeMemory(instance: Instance, megabytes: number): Promise<void>
}

/**
 * Known gaps of an engine whose driver still keeps the contract. Each must be documented for those who choose
 * it. Empty by default.
 */
export interface EngineGaps {
  /** Does not report out-of-memory kills; such an end is `exited_early`. */
  outOfMemory?: boolean
  /** Instances survive the engine, and nobody observes their end meanwhile. */
  survivesEngine?: boolean
}

/** Swap of the machine that runs the instances. */
export interface TrialSwap {
  /** Whether tests may add any here. */
  isPossible(): boolean
  /** Adds so many megabytes. Returns a function that removes them. */
  add(megabytes: number): () => void
}

export interface RuntimeSuite {
  /** The driver's name, for test titles. */
  name: string
  /** The driver's capabilities, which select the tests. */
  capabilities: RuntimeCapabilities
  /** Creates a trial for one test. */
  prepare: () => Promise<RuntimeTrial>
  gaps?: EngineGaps
  /** For drivers that page out. Without it, page-outs are tried only with the swap that the machine has. */
  swap?: TrialSwap
  /** Whether the trial's driver has `nodes`: at least two that are ready. */
  hasNodes?: boolean
}
