import { BaseSchema } from '@adonisjs/lucid/schema'

/** What an admin allows one user's agent (null = as the installation does). */
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
