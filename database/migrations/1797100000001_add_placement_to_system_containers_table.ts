import { BaseSchema } from '@adonisjs/lucid/schema'

/** Labels of the nodes that a system agent may run on (null = any node). */
export default class extends BaseSchema {
  protected tableName = 'system_containers'

  override async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.json('placement').nullable()
    })
  }

  override async down() {
    this.schema.alterTable(this.tableName, (table) => {
      table.dropColumn('placement')
    })
  }
}
