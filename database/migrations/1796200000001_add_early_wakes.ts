import { BaseSchema } from '@adonisjs/lucid/schema'

/** Lets resting agents resume ahead of the hours at which their owners usually use them. */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('user_agent_configs', (table) => {
      table.boolean('wake_early').notNullable().defaultTo(true)
    })
    this.schema.alterTable('user_containers', (table) => {
      /** Sealed. */
      table.text('days_of_use').nullable()
      /** Start of the hour at which its owner was last expected. */
      table.timestamp('expected_at').nullable()
    })
  }

  override async down() {
    this.schema.alterTable('user_agent_configs', (table) => {
      table.dropColumn('wake_early')
    })
    this.schema.alterTable('user_containers', (table) => {
      table.dropColumn('days_of_use')
      table.dropColumn('expected_at')
    })
  }
}
