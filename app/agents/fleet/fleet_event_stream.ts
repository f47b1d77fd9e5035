import { setImmediate as turn } from 'node:timers/promises'
import { DateTime } from 'luxon'
import type { AgentsContext } from '#agents/context'
import { E_TOO_MANY_WATCHERS } from '#agents/state/errors'
import type { AgentGauges } from '#agents/metrics'
import type { AgentRow, AgentTransition } from '#agents/types'
import { PushedEvents } from '#http/pushed_events'
import { eventText } from '#http/server_sent_events'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

/**
 * Below the proxies' limit for silent connections. Changes of other replicas appear with up to this
 * delay.
 */
const LOOK_EVERY_MS = 15_000
/** Changes sent in one turn of the event loop. */
const SENT_AT_ONCE = 200
/** Counting takes two queries, so a burst of changes is counted once. */
const COUNT_AFTER_MS = 1000
/** Limit for all admins' open pages. More suggests a client that leaks streams. */
const MOST_STREAMS = 64
/** The database's timestamps are exact only to the second. */
const OVERLAP_MS = 2000

interface FleetParts {
  gauges: () => Promise<AgentGauges>
  /** Returns the part of an agent's row that admins may see. */
  describe: (row: AgentRow) => object
}

/**
 * The fleet as server-sent events for admin pages: `fleet` with the number of agents per status, and
 * `agent` for each change. Changes in this process are sent at once; those of other replicas of Mosaic
 * are polled from the rows while a page is watching.
 */
export class FleetEventStreams {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger'>
  readonly #parts: FleetParts
  readonly #open = new Set<PushedEvents>()
  /** Counts begun, and the latest of them that was sent: a slow count must not replace a newer one. */
  #counts = 0
  #sentCount = 0
  #lookedAt = 0
  #cancelLook = () => {}
  #cancelCount: (() => void) | null = null

  constructor(context: Pick<AgentsContext, 'clock' | 'logger'>, parts: FleetParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Opens a stream that begins with the current counts and ends when the reader closes it or Mosaic
   * shuts down.
   *
   * @throws E_TOO_MANY_WATCHERS
   */
  async open(): Promise<PushedEvents> {
    if (this.#open.size >= MOST_STREAMS) throw new E_TOO_MANY_WATCHERS()
    const stream = new PushedEvents()
    if (this.#open.size === 0) this.#watch()
    this.#open.add(stream)
    stream.once('close', () => {
      this.#open.delete(stream)
      if (this.#open.size === 0) this.#rest()
    })
    try {
      await this.#sendCount()
      return stream
    } catch (error) {
      stream.destroy()
      throw error
    }
  }

  /** Reports a change made by this process. */
  tell({ row }: Pick<AgentTransition, 'row'>): void {
    if (this.#open.size === 0) return
    this.#send('agent', this.#describe(row))
    this.#cancelCount ??= this.#context.clock.after(COUNT_AFTER_MS, () => void this.#count(), {
      background: true,
    })
  }

  /** Ends all streams. The pages reconnect to the next Mosaic by themselves. */
  close(): void {
    this.#rest()
    for (const stream of this.#open) stream.end()
    /** Nothing may follow the end, and the next stream to open begins to look again. */
    this.#open.clear()
  }

  #watch(): void {
    this.#lookedAt = this.#context.clock.now()
    this.#plan()
  }

  #rest(): void {
    this.#cancelLook()
    this.#cancelCount?.()
    this.#cancelCount = null
  }

  #plan(): void {
    this.#cancelLook()
    this.#cancelLook = this.#context.clock.after(LOOK_EVERY_MS, () => void this.#look(), {
      background: true,
    })
  }

  /** Also keeps the connection alive: proxies close silent ones. */
  async #look(): Promise<void> {
    const now = this.#context.clock.now()
    /** The clock may have been set back. */
    const since = DateTime.fromMillis(Math.min(this.#lookedAt, now) - OVERLAP_MS)
    this.#lookedAt = now
    try {
      for (const model of [UserContainer, SystemContainer]) {
        const format = model.query().client.dialect.dateTimeFormat
        const rows: AgentRow[] = await model
          .query()
          .where('updated_at', '>=', since.toFormat(format))
        for (const [index, row] of rows.entries()) {
          this.#send('agent', this.#describe(row))
          /** Readers get their turn: what waits for them is limited. */
          if (index % SENT_AT_ONCE === SENT_AT_ONCE - 1) await turn()
        }
      }
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'Could not look at the fleet')
    }
    await this.#count()
    if (this.#open.size > 0) this.#plan()
  }

  async #count(): Promise<void> {
    this.#cancelCount?.()
    this.#cancelCount = null
    try {
      await this.#sendCount()
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'Could not count the fleet')
    }
  }

  /** Counts the fleet for all pages, unless a count that began later was sent meanwhile. */
  async #sendCount(): Promise<void> {
    const count = ++this.#counts
    const gauges = await this.#parts.gauges()
    if (count < this.#sentCount) return
    this.#sentCount = count
    this.#send('fleet', gauges)
  }

  #describe(row: AgentRow): object {
    const kind = row instanceof UserContainer ? 'user' : 'system'
    return { id: row.id, kind, ...this.#parts.describe(row) }
  }

  #send(event: string, data: object): void {
    const text = eventText(event, data)
    for (const stream of this.#open) stream.send(text)
  }
}
