import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'audit_events'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('actor_id').nullable()
      table.string('actor_name').nullable()
      table.string('action', 64).notNullable().index()
      table.string('subject_type', 64).nullable()
      table.string('subject_id').nullable()
      table.json('details').nullable()
      table.string('address', 64).nullable()
      table.timestamp('created_at').notNullable().index()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
