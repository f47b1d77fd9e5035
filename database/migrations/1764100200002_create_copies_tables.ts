import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * What copies of Mosaic tell each other: that they live, which agents they wake and how far that is, and
 * whose requests they have in flight. All of a copy's rows go with the copy.
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
      /** The order in which wakes began, over all copies. */
      table.increments('ticket')
      table.string('agent').notNullable().unique()
      table.string('copy').notNullable().references('copies.id').onDelete('CASCADE')
      /** Whether it stands in the line of the start gate, or has a place. */
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
