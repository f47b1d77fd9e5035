import { BaseSchema } from '@adonisjs/lucid/schema'

/** Each user's last failure of a provider, for the replica that carries the chat: a kind and numbers, no text of a service. */
export default class extends BaseSchema {
  protected tableName = 'provider_failures'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('user_id').primary().references('users.id').onDelete('CASCADE')
      /** The provider's name, as set by its owner. */
      table.string('provider').notNullable()
      table.string('reason', 32).notNullable()
      table.integer('status').nullable()
      table.integer('retry_after_sec').nullable()
      /** Milliseconds since the epoch. */
      table.bigInteger('at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
