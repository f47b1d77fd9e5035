import { BaseSchema } from '@adonisjs/lucid/schema'

/** Every few seconds each replica of Mosaic looks for leases of dead holders, a handful of all rows. */
export default class extends BaseSchema {
  protected tables = ['user_containers', 'system_containers']

  override async up() {
    for (const name of this.tables) {
      this.schema.alterTable(name, (table) => {
        table.index(['lease_owner'], `${name}_lease_owner_index`, {
          predicate: this.knex().whereNotNull('lease_owner'),
        })
      })
    }
  }

  override async down() {
    for (const name of this.tables) {
      this.schema.alterTable(name, (table) => {
        table.dropIndex(['lease_owner'], `${name}_lease_owner_index`)
      })
    }
  }
}
