import { BaseSchema } from '@adonisjs/lucid/schema'
import { lifecycleColumns } from '#database/lifecycle_columns'

export default class extends BaseSchema {
  protected tableName = 'system_containers'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('name').notNullable().unique()
      table.string('role', 64).notNullable()
      table.string('container_id').nullable()
      table.text('gateway_token').nullable()
      table.string('gateway_token_hash', 64).nullable().unique()
      table.string('provider_id').nullable().references('llm_providers.id').onDelete('SET NULL')
      table.string('primary_model').nullable()
      table.json('limits').nullable()
      table.boolean('is_active').notNullable().defaultTo(true)
      lifecycleColumns(table)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
