import db from '@adonisjs/lucid/services/db'
import type { AgentKey } from '#agents/types'

/**
 * How long ago the last change must be for its time to tell it from the next one, in milliseconds: times are
 * stored to the second, by clocks that may differ a little.
 */
const SETTLED_MS = 5000

/** Tells whether an agent's list of models may have changed, without reading a model. */
export class ModelListVersions {
  constructor(protected now: () => number = Date.now) {}

  /** The same text while nothing changed; null while that cannot be told, just after a change. */
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

/** SQLite keeps times as text, all of them UTC. */
function timeOf(at: string | Date): number {
  return at instanceof Date ? at.getTime() : Date.parse(`${at.replace(' ', 'T')}Z`)
}
