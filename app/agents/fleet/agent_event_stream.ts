import type { AgentsContext } from '#agents/context'
import { E_TOO_MANY_WATCHERS } from '#agents/state/errors'
import type { AgentListener } from '#agents/state/agent_events'
import { PushedEvents } from '#http/pushed_events'
import { eventText } from '#http/server_sent_events'
import type { AgentEvent, AgentKey, AgentView } from '#agents/types'

/**
 * Proxies close a connection that is silent for a minute, some after 30 seconds. The heartbeat is an event, because a
 * page cannot see comments, and it treats a connection without heartbeats as dead.
 */
const HEARTBEAT_MS = 15_000
/** Limit for one person's tabs and devices. More suggests a client that leaks streams. */
const MOST_PER_AGENT = 8

/** As `AgentLifecycle`. */
export interface WatchedAgents {
  describe(agent: AgentKey): Promise<AgentView>
  subscribe(agent: AgentKey, listener: AgentListener): () => void
}

/** An agent's events as server-sent events, one stream per watching page. */
export class AgentEventStreams {
  readonly #lifecycle: WatchedAgents
  readonly #context: Pick<AgentsContext, 'clock'>
  /** Functions that end the open streams. */
  readonly #open = new Map<AgentKey, Set<() => void>>()

  constructor(lifecycle: WatchedAgents, context: Pick<AgentsContext, 'clock'>) {
    this.#lifecycle = lifecycle
    this.#context = context
  }

  /**
   * Opens a stream that begins with the current status and ends when the reader closes it or Mosaic
   * shuts down. Watching does not count as use: it neither wakes the agent nor keeps it awake.
   *
   * @throws E_TOO_MANY_WATCHERS
   */
  async open(agent: AgentKey): Promise<PushedEvents> {
    const open = this.#open.get(agent) ?? new Set<() => void>()
    if (open.size >= MOST_PER_AGENT) throw new E_TOO_MANY_WATCHERS()
    this.#open.set(agent, open)

    const stream = new PushedEvents()
    /** Buffers events during the status lookup, so that none is missed in between. */
    let early: AgentEvent[] | null = []
    let ended = false
    const push = (event: AgentEvent) => {
      if (early) early.push(event)
      else stream.send(eventText(event.type, dataOf(event)))
    }
    const unsubscribe = this.#lifecycle.subscribe(agent, push)
    const stopHeartbeats = this.#heartbeat(stream)
    const leave = () => {
      ended = true
      stopHeartbeats()
      unsubscribe()
    }
    const end = () => {
      leave()
      stream.end()
    }
    open.add(end)
    stream.once('close', () => {
      leave()
      open.delete(end)
      if (open.size === 0) this.#open.delete(agent)
    })
    try {
      const present = await this.#lifecycle.describe(agent)
      if (ended) return stream
      for (const event of [{ type: 'status', agent: present } as const, ...early]) {
        stream.send(eventText(event.type, dataOf(event)))
      }
      early = null
      return stream
    } catch (error) {
      stream.destroy()
      throw error
    }
  }

  /** Ends all streams. The pages reconnect to the next Mosaic by themselves. */
  close(): void {
    for (const streams of this.#open.values()) {
      for (const end of streams) end()
    }
  }

  #heartbeat(stream: PushedEvents): () => void {
    const { clock } = this.#context
    const heartbeat = () => {
      stream.send(eventText('heartbeat', {}))
      cancelTimer = clock.after(HEARTBEAT_MS, heartbeat, { background: true })
    }
    let cancelTimer = clock.after(HEARTBEAT_MS, heartbeat, { background: true })
    return () => cancelTimer()
  }
}

function dataOf(event: AgentEvent): object {
  if (event.type === 'progress') return event.progress
  return event.type === 'status' ? event.agent : { outcome: event.outcome }
}
