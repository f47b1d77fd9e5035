import { BaseSchema } from '@adonisjs/lucid/schema'

/** Serves the admin's list of agents of one status, which else reads all older agents of the others too. */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('user_containers', (table) => {
      table.index(['status', 'created_at', 'id'])
    })
  }

  override async down() {
    this.schema.alterTable('user_containers', (table) => {
      table.dropIndex(['status', 'created_at', 'id'])
    })
  }
}
