import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'wake_days'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.date('day').notNullable()
      /** `ready`, or a failure reason. */
      table.string('outcome').notNullable()
      table.integer('count').notNullable().defaultTo(0)
      table.bigInteger('total_ms').notNullable().defaultTo(0)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['day', 'outcome'])
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
