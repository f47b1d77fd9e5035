/** A network that an agent is put on. */
export interface AgentNetwork {
  id: string
  /** Its name on the engine. */
  name: string
}

/**
 * How agents are kept apart and reach Mosaic all the same. There are two ways, and which one fits depends
 * on where Mosaic runs.
 */
export interface Topology {
  readonly kind: 'shared bridge' | 'network per agent'

  /**
   * Makes what all agents need, where it is missing. Cheap when all is there.
   *
   * @throws RuntimeError
   */
  prepare(): Promise<void>

  /** Makes the next `prepare` check everything again, because a part of the topology is gone. */
  forget(): void

  /** The network of one agent, made where it is missing. `prepare` has been called. */
  networkOf(name: string): Promise<AgentNetwork>

  /** What the network of an agent is called: agents on another one have to move. */
  networkName(name: string): string

  /** Lets go what only this agent needed. Its container is gone. */
  release(name: string): Promise<void>

  /** Where agents reach Mosaic, and the address of this machine that it has to listen on for that. */
  callback(): Promise<{ host: string; listen: string | null }>

  /** Addresses of Mosaic's machine, of which an agent may reach the internal listener only. */
  hostAddresses(): Promise<string[]>

  /** What an operator can do where agents reach the machine itself. */
  guardHelp(): Promise<string>

  /** Why the guard could not be set up, where it could not. */
  readonly guardFailure: Error | null
}
