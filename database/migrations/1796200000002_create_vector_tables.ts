import { BaseSchema } from '@adonisjs/lucid/schema'

/** Vectors of findings, in sealed blocks, for owners who chose an embedding model. */
export default class extends BaseSchema {
  override async up() {
    this.schema.createTable('vector_blocks', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      /** `<provider id>/<model id>`. */
      table.string('model', 400).notNullable()
      table.integer('dimensions').notNullable()
      /** Order of the owner's blocks, from 1. */
      table.integer('position').notNullable()
      /** Vectors in it. */
      table.integer('count').notNullable()
      table.text('vectors').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['user_id', 'position'])
    })

    this.schema.createTable('vector_slots', (table) => {
      table.string('finding_id').primary().references('findings.id').onDelete('CASCADE')
      table.string('block_id').notNullable().references('vector_blocks.id').onDelete('CASCADE')
      table.integer('slot').notNullable()

      table.unique(['block_id', 'slot'])
    })

    this.schema.alterTable('user_agent_configs', (table) => {
      /** `<provider name>/<model id>`. */
      table.string('embedding_model', 320).nullable()
    })
  }

  override async down() {
    this.schema.alterTable('user_agent_configs', (table) => table.dropColumn('embedding_model'))
    this.schema.dropTable('vector_slots')
    this.schema.dropTable('vector_blocks')
  }
}
