import { BaseSchema } from '@adonisjs/lucid/schema'
import { lifecycleColumns } from '#database/lifecycle_columns'

export default class extends BaseSchema {
  protected tableName = 'user_containers'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().unique().references('users.id').onDelete('CASCADE')
      table.string('container_name').notNullable().unique()
      table.string('container_id').nullable()
      table.text('gateway_token').nullable()
      table.string('gateway_token_hash', 64).nullable().unique()
      table.integer('idle_timeout_min').notNullable().defaultTo(30)
      lifecycleColumns(table)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
