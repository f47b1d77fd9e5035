import { BaseSchema } from '@adonisjs/lucid/schema'

/** The titles of a user's conversations as their agent told them last, sealed: for while it sleeps. */
export default class extends BaseSchema {
  protected tableName = 'conversation_lists'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().unique().references('users.id').onDelete('CASCADE')
      table.text('list', 'longtext').nullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
