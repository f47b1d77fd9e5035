import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import User from '#models/user'
import { E_KNOWLEDGE_TOO_LARGE, E_TOO_MUCH_KNOWLEDGE } from '#knowledge/errors'
import type { Settings } from '#settings/settings'

const MEGABYTE = 1024 * 1024
const TABLES = ['findings', 'agent_memories', 'tasks']

export interface KnowledgeLimits {
  rows: number
  /** Of the text in UTF-8, before it is sealed. */
  bytes: number
}

/** What a change adds; neither is negative. */
export interface Growth {
  rows: number
  bytes: number
}

/** How many findings, memories and tasks one user may have, and how much text. */
export class KnowledgeQuota {
  constructor(protected settings: Pick<Settings, 'get'>) {}

  /** Reads what holds now, ahead of the transaction that stores something. */
  async read(): Promise<KnowledgeLimits> {
    const rows = await this.settings.get('limits.knowledgeRows')
    const bytes = (await this.settings.get('limits.knowledgeMb')) * MEGABYTE
    return { rows, bytes }
  }
}

/** Of many changes of what one owner has at the same time, each sees the ones before it. */
export async function lockOwner(userId: string, trx: TransactionClientContract): Promise<void> {
  await User.query({ client: trx }).where('id', userId).forUpdate().first()
}

/**
 * Locks the owner's row, so that of many changes at the same time each sees the ones before it. What does not grow
 * passes, even beyond a limit that was lowered.
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

/** Bytes of the texts of one row. */
export const sizeOf = (...texts: (string | null | undefined)[]) =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0)
