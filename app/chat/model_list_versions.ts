import db from '@adonisjs/lucid/services/db'
import type { AgentKey } from '#agents/types'

/**
 * Minimum age of the last change, in milliseconds, before its time identifies it: times have a resolution of
 * one second, and clocks may differ slightly.
 */
const SETTLED_MS = 5000

/** Detects whether an agent's list of models may have changed, without reading any model. */
export class ModelListVersions {
  constructor(protected now: () => number = Date.now) {}

  /** Returns the same text while nothing changes, or null just after a change, when that cannot be known. */
  async of(agent: AgentKey): Promise<string | null> {
    const userId = agent.slice(agent.indexOf('/') + 1)
    const rows: Row[] = await db
      .from('llm_providers')
      .select('id', 'updated_at')
      .where('user_id', userId)
      .orderBy('id')
    const wishes: Row[] = await db
      .from('user_agent_configs')
      .select('id', 'updated_at')
      .where('user_id', userId)
    const all = [...rows, ...wishes]
    const newest = Math.max(0, ...all.map(({ updated_at: at }) => timeOf(at)))
    if (Math.abs(this.now() - newest) < SETTLED_MS) return null
    return all.map(({ id, updated_at: at }) => `${id}@${timeOf(at)}`).join()
  }
}

interface Row {
  id: string
  updated_at: string | Date
}

/** SQLite stores times as text, all in UTC. */
function timeOf(at: string | Date): number {
  return at instanceof Date ? at.getTime() : Date.parse(`${at.replace(' ', 'T')}Z`)
}
