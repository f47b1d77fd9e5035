import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { lockOwner } from '#models/owner_lock'
import { E_KNOWLEDGE_TOO_LARGE, E_TOO_MUCH_KNOWLEDGE } from '#knowledge/errors'
import type { Settings } from '#settings/settings'

const MEGABYTE = 1024 * 1024
const TABLES = ['findings', 'agent_memories', 'tasks']

export interface KnowledgeLimits {
  rows: number
  /** Size of the text in UTF-8, before it is sealed. */
  bytes: number
}

/** A change's growth; neither is negative. */
export interface Growth {
  rows: number
  bytes: number
}

/** Limits of one user's findings, memories and tasks, in number and text size. */
export class KnowledgeQuota {
  constructor(protected settings: Pick<Settings, 'get'>) {}

  /** Reads the current limits. Call it before the transaction that stores something. */
  async read(): Promise<KnowledgeLimits> {
    const rows = await this.settings.get('limits.knowledgeRows')
    const bytes = (await this.settings.get('limits.knowledgeMb')) * MEGABYTE
    return { rows, bytes }
  }
}

/**
 * Locks the owner's row, so that concurrent changes see each other, and checks the limits. A change without
 * growth passes even above a limit that was lowered.
 *
 * @throws E_TOO_MUCH_KNOWLEDGE, E_KNOWLEDGE_TOO_LARGE
 */
export async function requireRoom(
  userId: string,
  growth: Growth,
  limits: KnowledgeLimits,
  trx: TransactionClientContract
): Promise<void> {
  await lockOwner(userId, trx)
  if (growth.rows === 0 && growth.bytes <= 0) return
  let rows = 0
  let bytes = 0
  for (const table of TABLES) {
    const sums = await trx
      .from(table)
      .where('user_id', userId)
      .select(trx.rawQuery('count(*) as held, coalesce(sum(bytes), 0) as bytes'))
      .first()
    rows += Number(sums.held)
    bytes += Number(sums.bytes)
  }
  if (rows + growth.rows > limits.rows) throw new E_TOO_MUCH_KNOWLEDGE(limits.rows)
  if (growth.bytes > 0 && bytes + growth.bytes > limits.bytes) {
    throw new E_KNOWLEDGE_TOO_LARGE(Math.floor(limits.bytes / MEGABYTE))
  }
}

/** Returns the size of one row's texts, in bytes. */
export const sizeOf = (...texts: (string | null | undefined)[]) =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0)
