import type { AgentKey } from '#agents/types'

/** The runtimes that the suite works on. */
export const CHAOS_DRIVERS = ['memory', 'process', 'docker'] as const
export type ChaosDriverName = (typeof CHAOS_DRIVERS)[number]

/** What happens to the replicas: one is killed, or what they stand on goes away for a moment. */
export const FAULTS = ['kill', 'database', 'engine', 'clock'] as const
export type Fault = (typeof FAULTS)[number]

/** What every process of the suite knows. */
export interface Scene {
  driver: ChaosDriverName
  /** The folder of everything that is made. */
  folder: string
  /** The world's address, which is also where agents find their documents. */
  worldUrl: string
}

/** What a replica does in one round. */
export interface Orders {
  seed: number
  agents: AgentKey[]
  /** It kills itself at this step: a query sent or answered, a call of the driver begun or ended. */
  dieAt: number | null
}

/** Calls that one replica makes while the others make theirs. */
export interface ContentionOrders {
  seed: number
  agents: AgentKey[]
  calls: number
}

/** What became of them. */
export interface ContentionFacts {
  answered: number
  /** Why the others were not, one sentence each. */
  failures: string[]
}

/** What a replica says by itself. */
export interface Told {
  agent: AgentKey
  /** A message that the agent has answered in full. */
  answered?: string
  /** A failure that tells a person neither what happened nor what to do. */
  unexplained?: string
}

/** An agent as its row has it. */
export interface RowFacts {
  agent: AgentKey
  status: string
  desired: string
  containerId: string | null
  endpoint: string | null
  leaseOwner: string | null
}

/** An instance as the runtime shows it. */
export interface InstanceFacts {
  agent: string
  name: string
  id: string
  endpoint: string | null
  status: string
}

/** What is to be seen once everything has come to rest. */
export interface Facts {
  rows: RowFacts[]
  instances: InstanceFacts[]
}
