import { BaseSchema } from '@adonisjs/lucid/schema'

/** Renames the tables shared by replicas of Mosaic to the terms of the code and the docs. */
export default class extends BaseSchema {
  override async up() {
    this.schema.renameTable('copies', 'replicas')
    this.schema.alterTable('replicas', (table) => table.renameColumn('beat', 'heartbeat'))
    this.schema.alterTable('agent_wakes', (table) => {
      table.renameColumn('copy', 'replica_id')
      table.renameColumn('lines_up', 'queued')
      table.renameColumn('called_off', 'cancel_requested')
    })
    this.schema.alterTable('agent_uses', (table) => table.renameColumn('copy', 'replica_id'))
  }

  override async down() {
    this.schema.alterTable('agent_uses', (table) => table.renameColumn('replica_id', 'copy'))
    this.schema.alterTable('agent_wakes', (table) => {
      table.renameColumn('cancel_requested', 'called_off')
      table.renameColumn('queued', 'lines_up')
      table.renameColumn('replica_id', 'copy')
    })
    this.schema.alterTable('replicas', (table) => table.renameColumn('heartbeat', 'beat'))
    this.schema.renameTable('replicas', 'copies')
  }
}
