import type { AgentKey } from '#agents/types'

/** The suite's runtimes. */
export const CHAOS_DRIVERS = ['memory', 'process', 'docker'] as const
export type ChaosDriverName = (typeof CHAOS_DRIVERS)[number]

/** Faults: a replica is killed, or something it depends on goes away for a moment. */
export const FAULTS = ['kill', 'database', 'engine', 'clock'] as const
export type Fault = (typeof FAULTS)[number]

/** Data that every process of the suite gets. */
export interface Scene {
  driver: ChaosDriverName
  /** The folder of everything the run creates. */
  folder: string
  /** The world's URL, from which agents also fetch their documents. */
  worldUrl: string
}

/** A replica's orders for one round. */
export interface Orders {
  seed: number
  agents: AgentKey[]
  /**
   * It kills itself at this step: a query sent or answered, a driver call begun or ended. `suspended`: once an
   * agent is suspended, before its row says so.
   */
  dieAt: number | 'suspended' | null
  /** Long pauses and many rests: busy agents hardly ever rest. */
  calm?: boolean
}

/** Calls that one replica makes concurrently with the others. */
export interface ContentionOrders {
  seed: number
  agents: AgentKey[]
  calls: number
}

/** The outcome of the calls. */
export interface ContentionFacts {
  answered: number
  /** Why the others failed, one sentence each. */
  failures: string[]
}

/** A message that a replica sends unprompted. */
export interface Told {
  agent: AgentKey
  /** A message that the agent answered in full. */
  answered?: string
  /** It started to rest. */
  rested?: true
  /** A failure that tells a person neither what happened nor what to do. */
  unexplained?: string
}

/** An agent's state in its row. */
export interface RowFacts {
  agent: AgentKey
  status: string
  desired: string
  containerId: string | null
  endpoint: string | null
  leaseOwner: string | null
}

/** An instance as the runtime reports it. */
export interface InstanceFacts {
  agent: string
  name: string
  id: string
  endpoint: string | null
  status: string
}

/** The state after everything has settled. */
export interface Facts {
  rows: RowFacts[]
  instances: InstanceFacts[]
}
