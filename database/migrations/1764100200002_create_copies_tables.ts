import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * What replicas ("copies") of Mosaic share: their heartbeats, the progress of their wakes, and their
 * requests in flight. Deleting a replica deletes all its rows.
 */
export default class extends BaseSchema {
  override async up() {
    this.schema.createTable('copies', (table) => {
      table.string('id').primary()
      table.bigInteger('beat').notNullable().defaultTo(0)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })

    this.schema.createTable('agent_wakes', (table) => {
      /** The order in which wakes began, over all replicas. */
      table.increments('ticket')
      table.string('agent').notNullable().unique()
      table.string('copy').notNullable().references('copies.id').onDelete('CASCADE')
      /** Whether it waits at the start gate or holds a place there. */
      table.boolean('lines_up').notNullable().defaultTo(false)
      table.boolean('called_off').notNullable().defaultTo(false)
      table.string('stage', 16).nullable()
      table.string('detail').nullable()
      table.integer('queue_position').nullable()
      table.integer('elapsed_ms').notNullable().defaultTo(0)
      table.integer('usual_ms').nullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })

    this.schema.createTable('agent_uses', (table) => {
      table.string('agent').notNullable()
      table.string('copy').notNullable().references('copies.id').onDelete('CASCADE')
      table.integer('in_flight').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
      table.primary(['agent', 'copy'])
    })
  }

  override async down() {
    this.schema.dropTable('agent_uses')
    this.schema.dropTable('agent_wakes')
    this.schema.dropTable('copies')
  }
}
