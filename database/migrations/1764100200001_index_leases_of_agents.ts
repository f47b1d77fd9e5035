import { BaseSchema } from '@adonisjs/lucid/schema'

/** Each copy of Mosaic looks every few seconds for leases whose holder is gone: a handful of all rows. */
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
