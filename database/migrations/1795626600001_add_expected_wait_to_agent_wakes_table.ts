import { BaseSchema } from '@adonisjs/lucid/schema'

/** Expected time until a queued wake gets its place. */
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
