import type { AgentKey, GatewayAccess } from '#agents/types'
import { E_GATEWAY_FAILED, isRefused } from '#openclaw/errors'
import type { JoinedRun, OpenRuns, RunConnection } from '#openclaw/run_socket'

/** Where the runs of agents are looked for. */
export interface GatewayRunsParts {
  /** Returns a running agent's gateway, or null. Never wakes the agent. */
  running: (agent: AgentKey) => Promise<GatewayAccess | null>
  open: OpenRuns
}

/** An open socket to a session of a running agent, and the gateway that it leads to. */
export interface ReachedSession {
  access: GatewayAccess
  socket: RunConnection
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
   * Opens a socket to a running agent. Returns null if the agent is asleep, or knows no such session.
   *
   * @throws E_GATEWAY_FAILED if it cannot be asked right now
   */
  async reach(agent: AgentKey, sessionKey: string): Promise<ReachedSession | null> {
    const access = await this.parts.running(agent)
    const socket = access && (await told(this.parts.open(access, sessionKey)))
    return socket && { access, socket }
  }

  /**
   * Returns the run that a socket's session has under way, or null.
   *
   * @throws E_GATEWAY_FAILED if it cannot be asked right now
   */
  underWay(socket: RunConnection): Promise<JoinedRun | null> {
    return told(socket.join())
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

/** A gateway that refuses knows no such session. After any other failure nobody knows what it runs. */
function told<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  return answer.catch((error: unknown) => {
    if (isRefused(error)) return null
    throw error instanceof E_GATEWAY_FAILED
      ? error
      : new E_GATEWAY_FAILED(undefined, { cause: error })
  })
}
