import { BaseSchema } from '@adonisjs/lucid/schema'

/** The table of the database store of `@adonisjs/session`. */
export default class extends BaseSchema {
  protected tableName = 'sessions'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.text('data').notNullable()
      table.string('user_id').nullable().index()
      table.timestamp('expires_at').notNullable().index()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
