import { BaseSchema } from '@adonisjs/lucid/schema'

const TABLES = ['user_containers', 'system_containers']

/** Crashes in a row, each soon after a start. After too many, only a person restarts the agent. */
export default class extends BaseSchema {
  override async up() {
    for (const name of TABLES) {
      this.schema.alterTable(name, (table) => {
        table.integer('crash_count').notNullable().defaultTo(0)
      })
    }
  }

  override async down() {
    for (const name of TABLES) {
      this.schema.alterTable(name, (table) => table.dropColumn('crash_count'))
    }
  }
}
