import type { ByHand } from './by_hand.js'

/** Where the bench's agent runs, and how the same OpenClaw is started there without Mosaic. */
export interface AgentHome {
  /** Settings that make Mosaic run its agents there. */
  readonly settings: Record<string, string>
  /** Call it once the agent has run; `token` is its gateway's. */
  prepared(token: string): Promise<void>
  /** Returns the processes of the agent, or of the one by hand. */
  pids(): number[]
  /** Starts the same OpenClaw on the same state; the agent must be stopped. */
  startByHand(): Promise<ByHand>
  close(): void
}
