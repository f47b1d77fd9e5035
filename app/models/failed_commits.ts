import { QueryClient } from '@adonisjs/lucid/database'
import type { TransactionClientContract as Transaction } from '@adonisjs/lucid/types/database'

type Work = (trx: Transaction) => Promise<unknown>
type Begin = (work?: unknown, options?: unknown) => Promise<unknown>

/**
 * Makes a transaction fail if its COMMIT fails. SQLite can find the disk full at that point and roll back;
 * PostgreSQL may be gone. The query builder reports this only through `executionPromise`, which Lucid ignores:
 * it would continue as if everything were stored. Call it once, before the first query.
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
