import db from '@adonisjs/lucid/services/db'
import { cut } from '#text/cut'
import type { AgentsContext, Replicas } from '#agents/context'
import { timeOf } from '#agents/replicas/replica_registry'
import type { AgentKey, WakeProgress, WakeStage } from '#agents/types'

const TABLE = 'agent_wakes'
/** Long enough for a sentence; an engine may report more. */
const MOST_DETAIL = 250

/** A wake as other replicas see it. */
export interface RegisteredWake {
  agent: AgentKey
  progress: WakeProgress | null
}

interface WakeRow {
  agent: AgentKey
  stage: WakeStage | null
  detail: string | null
  queue_position: number | null
  expected_wait_ms: number | null
  elapsed_ms: number
  usual_ms: number | null
}

/**
 * Wakes in flight, which other replicas of Mosaic can see, queue behind and cancel. A lone replica
 * writes no entries, and failing to write one does not stop the wake.
 */
export class WakeRegistry {
  readonly #context: Pick<AgentsContext, 'replicaId' | 'clock' | 'logger'>
  readonly #replicas: Replicas
  /** Progress to write for each agent after the current write. */
  readonly #behind = new Map<AgentKey, WakeProgress>()
  readonly #writing = new Map<AgentKey, Promise<void>>()

  constructor(context: Pick<AgentsContext, 'replicaId' | 'clock' | 'logger'>, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
  }

  /** Registers a wake of this replica; call it under the lease. Returns whether it was registered. */
  async begin(agent: AgentKey): Promise<boolean> {
    if (this.#replicas.alone) return false
    const { replicaId, clock } = this.#context
    const now = timeOf(clock.now())
    return this.#try(async () => {
      await db.from(TABLE).where('agent', agent).delete()
      await db
        .table(TABLE)
        .insert({ agent, replica_id: replicaId, created_at: now, updated_at: now })
    })
  }

  /** Publishes progress. Updates that arrive during a write are merged into the next one. */
  tell(agent: AgentKey, progress: WakeProgress): void {
    this.#behind.set(agent, progress)
    if (!this.#writing.has(agent)) this.#writing.set(agent, this.#write(agent))
  }

  async end(agent: AgentKey): Promise<void> {
    this.#behind.delete(agent)
    await this.#writing.get(agent)
    await this.#try(() => this.#own(agent).delete())
  }

  /** Returns another replica's wake of the agent, or null. */
  async look(agent: AgentKey): Promise<RegisteredWake | null> {
    if (this.#replicas.alone) return null
    const row: WakeRow | null = await this.#ofOthers().where('agent', agent).first()
    return row && registered(row)
  }

  /** Returns all wakes of other replicas. */
  async ofOthers(): Promise<RegisteredWake[]> {
    if (this.#replicas.alone) return []
    const rows: WakeRow[] = await this.#ofOthers()
    return rows.map(registered)
  }

  /** Asks the replica that wakes the agent to cancel. Returns whether there is such a replica. */
  async requestCancel(agent: AgentKey): Promise<boolean> {
    if (this.#replicas.alone) return false
    const count = await db.from(TABLE).where('agent', agent).update({ cancel_requested: true })
    return Number(count) > 0
  }

  /** Returns this replica's wakes that another replica asked to cancel. */
  async cancelRequests(): Promise<AgentKey[]> {
    const rows: { agent: AgentKey }[] = await db
      .from(TABLE)
      .select('agent')
      .where({ replica_id: this.#context.replicaId, cancel_requested: true })
    return rows.map(({ agent }) => agent)
  }

  /** Joins or leaves the queue of the start gate. */
  async setQueued(agent: AgentKey, queued: boolean): Promise<boolean> {
    return this.#try(() => this.#own(agent).update({ queued }))
  }

  /**
   * Returns agents that hold or wait for a place at the start gate, over all replicas, first in line
   * first.
   */
  async queue(): Promise<AgentKey[]> {
    const rows: { agent: AgentKey }[] = await db
      .from(TABLE)
      .select('agent')
      .where('queued', true)
      .orderBy('ticket')
    return rows.map(({ agent }) => agent)
  }

  async #write(agent: AgentKey): Promise<void> {
    for (;;) {
      const progress = this.#behind.get(agent)
      if (!progress) break
      this.#behind.delete(agent)
      const { stage, detail, queuePosition, expectedWaitMs, elapsedMs, usualMs } = progress
      await this.#try(() =>
        this.#own(agent).update({
          stage,
          detail: detail ? cut(detail, MOST_DETAIL) : null,
          queue_position: queuePosition ?? null,
          expected_wait_ms: expectedWaitMs ?? null,
          elapsed_ms: elapsedMs,
          usual_ms: usualMs,
          updated_at: timeOf(this.#context.clock.now()),
        })
      )
    }
    this.#writing.delete(agent)
  }

  #ofOthers() {
    return db.from(TABLE).whereNot('replica_id', this.#context.replicaId)
  }

  #own(agent: AgentKey) {
    return db.from(TABLE).where({ agent, replica_id: this.#context.replicaId })
  }

  async #try(work: () => PromiseLike<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'Could not show the other replicas a wake')
      return false
    }
  }
}

function registered(row: WakeRow): RegisteredWake {
  return { agent: row.agent, progress: progressOf(row) }
}

function progressOf(row: WakeRow): WakeProgress | null {
  if (!row.stage) return null
  return {
    stage: row.stage,
    elapsedMs: row.elapsed_ms,
    usualMs: row.usual_ms,
    ...(row.queue_position !== null && { queuePosition: row.queue_position }),
    ...(row.expected_wait_ms !== null && { expectedWaitMs: row.expected_wait_ms }),
    ...(row.detail !== null && { detail: row.detail }),
  }
}
