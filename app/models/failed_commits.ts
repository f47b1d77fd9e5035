import { QueryClient } from '@adonisjs/lucid/database'
import type { TransactionClientContract as Transaction } from '@adonisjs/lucid/types/database'

type Work = (trx: Transaction) => Promise<unknown>
type Begin = (work?: unknown, options?: unknown) => Promise<unknown>

/**
 * Lets a transaction fail whose COMMIT failed: SQLite meets a full disk there and takes the rows back, and
 * PostgreSQL may be gone by then. The query builder tells it by `executionPromise` alone, where Lucid does
 * not look: it would go on as if all were stored. Call it once, before the first query.
 */
export function tellFailedCommits(): void {
  const client = QueryClient.prototype as unknown as { transaction: Begin }
  const begin = client.transaction
  client.transaction = async function (work, options) {
    if (typeof work !== 'function') return telling(await begin.call(this, work, options))
    return begin.call(this, (trx: Transaction) => (work as Work)(telling(trx)), options)
  }
}

function telling(begun: unknown): Transaction {
  const trx = begun as Transaction
  const knex = trx.knexClient
  const commit = knex.commit as () => Promise<unknown>
  Object.assign(knex, { commit: () => commit().then(() => knex.executionPromise) })
  return trx
}
