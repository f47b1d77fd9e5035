import { BaseSchema } from '@adonisjs/lucid/schema'

/** Limits that an admin sets for one user's agent (null = the installation's). */
export default class extends BaseSchema {
  protected tableName = 'user_containers'

  override async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.json('limits').nullable()
    })
  }

  override async down() {
    this.schema.alterTable(this.tableName, (table) => {
      table.dropColumn('limits')
    })
  }
}
