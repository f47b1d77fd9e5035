import { BaseSchema } from '@adonisjs/lucid/schema'

/** Files that wait for the message that they are sent with, sealed. */
export default class extends BaseSchema {
  protected tableName = 'uploads'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE').index()
      table.string('name', 255).notNullable()
      table.string('type', 255).notNullable()
      /** Bytes of the file. */
      table.integer('size').notNullable()
      table.text('content', 'longtext').nullable()
      table.timestamp('expires_at').notNullable().index()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
