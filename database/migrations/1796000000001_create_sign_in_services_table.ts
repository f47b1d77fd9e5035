import { BaseSchema } from '@adonisjs/lucid/schema'

/** Sign-in services as configured by an admin. */
export default class extends BaseSchema {
  protected tableName = 'sign_in_services'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('name', 32).notNullable().unique()
      table.string('client_id', 512).notNullable()
      table.text('client_secret').nullable()
      table.string('address', 2048).nullable()
      table.string('sign_up', 16).notNullable().defaultTo('invited')
      table.boolean('is_proof').notNullable().defaultTo(false)
      table.boolean('is_active').notNullable().defaultTo(false)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
