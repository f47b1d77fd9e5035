import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Serves what is asked again and again of a large fleet: the admin's lists in their order, rows that another
 * replica changed, runtimes in use, agents that are kept up, and the usage of a few days.
 */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('users', (table) => {
      table.index(['created_at', 'id'])
    })
    this.schema.alterTable('user_containers', (table) => {
      table.index(['created_at', 'id'])
      table.index(['updated_at'])
      table.index(['runtime'])
      table.index(['wake_policy'], 'user_containers_wake_policy_index', {
        predicate: this.knex().whereNotNull('wake_policy'),
      })
    })
    this.schema.alterTable('usage_days', (table) => {
      table.index(['day'])
    })
  }

  override async down() {
    this.schema.alterTable('users', (table) => {
      table.dropIndex(['created_at', 'id'])
    })
    this.schema.alterTable('user_containers', (table) => {
      table.dropIndex(['created_at', 'id'])
      table.dropIndex(['updated_at'])
      table.dropIndex(['runtime'])
      table.dropIndex(['wake_policy'], 'user_containers_wake_policy_index')
    })
    this.schema.alterTable('usage_days', (table) => {
      table.dropIndex(['day'])
    })
  }
}
