import type { Clock } from '#timing/clock'
import type { AgentKey, AgentTransition, GatewayAccess } from '#agents/types'
import type { RuntimeDriver } from '#runtimes/contract'
import type { RuntimeManager } from '#runtimes/manager'
import type { Settings } from '#settings/settings'

/** What the agents' services need of the documents: just whether something changed. */
export interface DocumentHashes {
  /** @throws E_NO_PROVIDER */
  forAgent(agent: AgentKey): Promise<{ hash: string }>
}

/** What the agents' services ask of a gateway beside chatting. Each rejects when it does not answer. */
export interface GatewayDrainControl {
  /** As `GatewayControl.close`. */
  close(
    gateway: GatewayAccess,
    options: { drain: boolean }
  ): Promise<'closed' | 'draining' | 'busy'>
  /** As `GatewayControl.reopen`. */
  reopen(gateway: GatewayAccess): Promise<void>
  /** When the agent's own schedule wants it next, in milliseconds of the epoch, or null. */
  nextJobAt(gateway: GatewayAccess): Promise<number | null>
  /** As `GatewayControl.forgetOtherDevices`. */
  forgetOtherDevices(gateway: GatewayAccess): Promise<void>
}

export interface AgentsLogger {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** How long single steps may take, in milliseconds. */
export interface AgentTimeouts {
  /** Making an instance: an image of a gigabyte over a slow line fits in. */
  ensureMs: number
  /** Looking at an instance: an engine that needs longer is as good as away. */
  inspectMs: number
  /** From the request to stop until the kill. Nothing is in flight any more by then. */
  killAfterMs: number
  /** Beyond the kill, until the engine is given up. */
  stopMs: number
  /** A replica of Mosaic that has not renewed a lease for so long has lost it. */
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
  /** Whether no other is known just now. */
  readonly alone: boolean
  /** Makes this one known, and the others to it, from now on. Once is enough; never rejects. */
  join(): Promise<void>
}

/** New settings on their way to agents: see `PendingRollouts`. */
export interface Rollouts {
  /** Settles when new messages may go; null when nothing is on its way. */
  of(agent: AgentKey): Promise<void> | null
  /** Has new messages wait until the returned function is called. */
  hold(agent: AgentKey): () => void
}

/** What comes in from outside: the world that the agents' services act on. */
export interface AgentsContext {
  /** Names this process among all replicas of Mosaic that share the database. */
  replicaId: string
  /** The others, and whether there are any. */
  replicas: Replicas
  runtimes: Pick<RuntimeManager, 'use' | 'installation' | 'names'>
  documents: DocumentHashes
  settings: Pick<Settings, 'get'>
  /** Mosaic's internal listener as instances of this driver reach it, without a slash at the end. */
  callbackUrl: (driver: RuntimeDriver) => Promise<string>
  clock: Clock
  /** From 0 to below 1. */
  random: () => number
  logger: AgentsLogger
  gatewayControl: GatewayDrainControl
  fetch: typeof globalThis.fetch
  timeouts: AgentTimeouts
  /** Agents that new settings are on their way to. */
  rollouts: Rollouts
  /** Told of each change of an agent's row that this process wrote. Must not throw. */
  transition?: (transition: AgentTransition) => void
  /** Told when this process has renewed or ended a gateway token: whose it was is not kept any more. */
  tokenChanged?: () => void
}
