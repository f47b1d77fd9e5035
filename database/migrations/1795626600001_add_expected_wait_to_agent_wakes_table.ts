import { BaseSchema } from '@adonisjs/lucid/schema'

/** How long a wake that stands in line is expected to wait for its place. */
export default class extends BaseSchema {
  protected tableName = 'agent_wakes'

  override async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.integer('expected_wait_ms').nullable()
    })
  }

  override async down() {
    this.schema.alterTable(this.tableName, (table) => table.dropColumn('expected_wait_ms'))
  }
}
