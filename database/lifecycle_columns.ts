import type { Knex } from 'knex'

/**
 * Columns of every agent's row, for user and system agents: the desired state (`desired`), the last
 * observed one (`status`), the instance (`runtime`, `runtime_state`, `endpoint`), and the lease of the
 * replica that is changing it.
 */
export function lifecycleColumns(table: Knex.CreateTableBuilder): void {
  table.string('runtime').nullable()
  table.json('runtime_state').nullable()
  table.string('spec_hash', 64).nullable()
  table.string('document_hash', 64).nullable()
  table.integer('generation').notNullable().defaultTo(0)
  table.string('desired', 16).notNullable().defaultTo('stopped')
  table.string('status', 16).notNullable().defaultTo('stopped')
  table.string('status_reason', 32).nullable()
  table.string('endpoint').nullable()
  table.string('lease_owner').nullable()
  table.timestamp('lease_expires_at').nullable()
  table.bigInteger('lease_fence').notNullable().defaultTo(0)
  table.integer('failure_count').notNullable().defaultTo(0)
  table.timestamp('retry_at').nullable()
  table.timestamp('last_active_at').nullable()
  table.timestamp('started_at').nullable()

  table.index(['status', 'last_active_at'])
}
