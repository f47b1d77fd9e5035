import { BaseSchema } from '@adonisjs/lucid/schema'

/** Each event seals the one before it. Events of earlier versions stay outside the chain. */
export default class extends BaseSchema {
  protected tableName = 'audit_events'

  override async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.integer('sequence').nullable().unique()
      table.string('hash', 64).nullable()
      table.index(['actor_id'])
      table.index(['subject_id'])
    })
  }

  override async down() {
    this.schema.alterTable(this.tableName, (table) => {
      table.dropIndex(['subject_id'])
      table.dropIndex(['actor_id'])
      table.dropUnique(['sequence'])
      table.dropColumn('sequence')
      table.dropColumn('hash')
    })
  }
}
