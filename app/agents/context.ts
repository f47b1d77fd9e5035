import type { Clock } from '#timing/clock'
import type { AgentKey, AgentTransition, GatewayAccess } from '#agents/types'
import type { RuntimeDriver } from '#runtimes/contract'
import type { RuntimeManager } from '#runtimes/manager'
import type { Settings } from '#settings/settings'

/** The documents as the agents' services need them: only to detect changes. */
export interface DocumentHashes {
  /** @throws E_NO_PROVIDER */
  forAgent(agent: AgentKey): Promise<{ hash: string }>
}

/** Gateway operations other than chat. Each rejects if the gateway does not answer. */
export interface GatewayDrainControl {
  /** As `GatewayControl.close`. */
  close(
    gateway: GatewayAccess,
    options: { drain: boolean }
  ): Promise<'closed' | 'draining' | 'busy'>
  /** As `GatewayControl.reopen`. */
  reopen(gateway: GatewayAccess): Promise<void>
  /** Time of the agent's next scheduled job, in milliseconds of the epoch, or null. */
  nextJobAt(gateway: GatewayAccess): Promise<number | null>
  /** As `GatewayControl.forgetOtherDevices`. */
  forgetOtherDevices(gateway: GatewayAccess): Promise<void>
}

/** Applies the current document to a running gateway: see `LiveSettings`. */
export interface LiveChange {
  /** Returns the hash of the document in use from then on, or null if only a restart can apply it. */
  apply(gateway: GatewayAccess, agent: AgentKey, formerHash: string): Promise<string | null>
}

export interface AgentsLogger {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** Time limits of single steps, in milliseconds. */
export interface AgentTimeouts {
  /** Creating an instance; long enough to pull a one-gigabyte image over a slow line. */
  ensureMs: number
  /** Inspecting an instance. An engine that takes longer counts as unreachable. */
  inspectMs: number
  /** From the stop request to the kill. No work is in flight by then. */
  killAfterMs: number
  /** Extra time after the kill before the engine counts as unreachable. */
  stopMs: number
  /** A replica of Mosaic that has not renewed a lease for this time has lost it. */
  leaseMs: number
}

export const DEFAULT_TIMEOUTS: AgentTimeouts = {
  ensureMs: 10 * 60_000,
  inspectMs: 10_000,
  killAfterMs: 5000,
  stopMs: 30_000,
  leaseMs: 10_000,
}

/** The other replicas of Mosaic that share the database: see `ReplicaRegistry`. */
export interface Replicas {
  /** Whether no other replica is known. */
  readonly alone: boolean
  /** Changes when another replica has presumed this one dead and deleted its entries. */
  readonly generation: number
  /** Registers this replica and finds the others. Idempotent; never rejects. */
  join(): Promise<void>
}

/** Pending settings rollouts: see `PendingRollouts`. */
export interface Rollouts {
  /** Settles when new messages may pass; null if no rollout is pending. */
  of(agent: AgentKey): Promise<void> | null
  /** Holds new messages until the returned function is called. */
  hold(agent: AgentKey): () => void
}

/** Dependencies of the agents' services on the outside world. */
export interface AgentsContext {
  /** Identifies this process among all replicas of Mosaic that share the database. */
  replicaId: string
  replicas: Replicas
  runtimes: Pick<RuntimeManager, 'use' | 'installation' | 'names'>
  documents: DocumentHashes
  settings: Pick<Settings, 'get'>
  /** The URL at which this driver's instances reach Mosaic's internal listener, without a trailing slash. */
  callbackUrl: (driver: RuntimeDriver) => Promise<string>
  clock: Clock
  /** Returns a number in [0, 1). */
  random: () => number
  logger: AgentsLogger
  gatewayControl: GatewayDrainControl
  live: LiveChange
  timeouts: AgentTimeouts
  /** Pending settings rollouts. */
  rollouts: Rollouts
  /** Called for each change that this process writes to an agent's row. Must not throw. */
  transition?: (transition: AgentTransition) => void
  /**
   * Called after this process renews or revokes a gateway token, so that cached owners of tokens are
   * dropped.
   */
  tokenChanged?: () => void
  /**
   * Called under the lease before an agent is suspended or stopped, while its gateway still answers. Must
   * resolve soon and never reject.
   */
  beforeSleep?: (agent: AgentKey, gateway: GatewayAccess) => Promise<void>
}
