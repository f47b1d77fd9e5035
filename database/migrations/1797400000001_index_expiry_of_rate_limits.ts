import { BaseSchema } from '@adonisjs/lucid/schema'

/** Serves the limiter's deletion of expired counts, which else reads the whole table. */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('rate_limits', (table) => {
      table.index(['expire'])
    })
  }

  override async down() {
    this.schema.alterTable('rate_limits', (table) => {
      table.dropIndex(['expire'])
    })
  }
}
