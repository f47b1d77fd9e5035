import type { Found } from '#runtimes/drivers/docker/containers'

/** An agent's network. */
export interface AgentNetwork {
  id: string
  /** Its name on the engine. */
  name: string
}

/**
 * How agents are separated but still reach Mosaic. There are two implementations; where Mosaic runs
 * decides which one fits.
 */
export interface Topology {
  readonly kind: 'shared bridge' | 'network per agent'

  readonly egress: 'open' | 'sealed'

  /**
   * Creates what all agents share, if missing. Cheap if it exists.
   *
   * @throws RuntimeError
   */
  prepare(): Promise<void>

  /** Makes the next `prepare` check everything again, because a part of the topology is gone. */
  forget(): void

  /** Returns one agent's network; creates it if missing. Call `prepare` first. */
  networkOf(name: string): Promise<AgentNetwork>

  /**
   * Lets Mosaic reach a running agent, which another Mosaic may have started. Cheap if it does already.
   *
   * @throws RuntimeError
   */
  reach(agent: Found): Promise<void>

  /** Returns the name of an agent's network. Agents on another network have to move. */
  networkName(name: string): string

  /**
   * Releases what only this agent needed. Call it once its container is gone. What another Mosaic still
   * uses goes when that one releases it.
   */
  release(name: string): Promise<void>

  /** Returns where agents reach Mosaic, and the address of this machine that Mosaic must listen on for it. */
  callback(): Promise<{ host: string; listen: string | null }>

  /** Returns addresses of Mosaic's machine. Agents may reach only the internal listener there. */
  hostAddresses(): Promise<string[]>

  /** Returns what an operator can do if agents reach the machine itself. */
  guardHelp(): Promise<string>

  /** Why the guard could not be set up; null if it could. */
  readonly guardFailure: Error | null
}
