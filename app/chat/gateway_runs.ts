import type { AgentKey, GatewayAccess } from '#agents/types'
import type { OpenRuns, RunConnection } from '#openclaw/run_socket'

/** Where the runs of agents are looked for. */
export interface GatewayRunsParts {
  /** Returns a running agent's gateway, or null. Never wakes the agent. */
  running: (agent: AgentKey) => Promise<GatewayAccess | null>
  open: OpenRuns
}

/** Runs that an agent's gateway has under way, whichever Mosaic process began them. */
export class GatewayRuns {
  /** Joins in flight: pages that return at once share one. */
  readonly #joins = new Map<string, Promise<unknown>>()

  constructor(protected parts: GatewayRunsParts) {}

  /** Opens a socket for a session. */
  open(access: GatewayAccess, sessionKey: string): Promise<RunConnection> {
    return this.parts.open(access, sessionKey)
  }

  /**
   * Opens a socket to a running agent. Returns null if the agent is asleep or its gateway offers no socket:
   * no run can be found then.
   */
  async reach(agent: AgentKey, sessionKey: string): Promise<RunConnection | null> {
    const access = await this.parts.running(agent)
    return access && this.parts.open(access, sessionKey).catch(() => null)
  }

  /** Runs `join` once for callers of one session at a time. */
  once<Result>(agent: AgentKey, sessionKey: string, join: () => Promise<Result>): Promise<Result> {
    const name = `${agent} ${sessionKey}`
    const pending = this.#joins.get(name) as Promise<Result> | undefined
    if (pending) return pending
    const joining = join().finally(() => this.#joins.delete(name))
    this.#joins.set(name, joining)
    return joining
  }
}
