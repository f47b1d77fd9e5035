import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'usage_days'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.date('day').notNullable()
      table.integer('chats').notNullable().defaultTo(0)
      table.integer('wakes').notNullable().defaultTo(0)
      table.integer('awake_seconds').notNullable().defaultTo(0)
      table.bigInteger('tokens_in').notNullable().defaultTo(0)
      table.bigInteger('tokens_out').notNullable().defaultTo(0)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['user_id', 'day'])
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
