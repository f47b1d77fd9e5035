import { BaseSchema } from '@adonisjs/lucid/schema'

/** The conversations that their owners have kept, and what an owner's agent may do with what is known. */
export default class extends BaseSchema {
  override async up() {
    this.schema.createTable('archive_conversations', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.string('external_mac', 64).notNullable()
      /** The conversation's id at the agent. */
      table.text('name').notNullable()
      table.text('title').nullable()
      /** Of the newest message that was read: where the next reading begins. */
      table.string('cursor_mac', 64).nullable()
      table.timestamp('last_message_at').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['user_id', 'external_mac'])
    })

    this.schema.createTable('archive_messages', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table
        .string('conversation_id')
        .notNullable()
        .references('archive_conversations.id')
        .onDelete('CASCADE')
      table.string('external_mac', 64).notNullable()
      /** `user` or `assistant`. */
      table.string('role', 16).notNullable()
      table.text('text').notNullable()
      table.timestamp('said_at').notNullable()
      table.integer('bytes').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['conversation_id', 'external_mac'])
      table.index(['user_id', 'bytes'])
      table.index(['user_id', 'said_at'])
    })

    this.schema.alterTable('user_agent_configs', (table) => {
      /** `off`, `read` or `write`. */
      table.string('knowledge', 8).notNullable().defaultTo('off')
      table.boolean('archive_enabled').notNullable().defaultTo(false)
      table.integer('archive_days').notNullable().defaultTo(90)
    })
    for (const name of ['user_containers', 'system_containers']) {
      this.schema.alterTable(name, (table) => {
        table.string('knowledge_token_hash', 64).nullable().unique()
      })
    }
  }

  override async down() {
    for (const name of ['user_containers', 'system_containers']) {
      this.schema.alterTable(name, (table) => {
        table.dropUnique(['knowledge_token_hash'])
        table.dropColumn('knowledge_token_hash')
      })
    }
    this.schema.alterTable('user_agent_configs', (table) => {
      table.dropColumns('knowledge', 'archive_enabled', 'archive_days')
    })
    this.schema.dropTable('archive_messages')
    this.schema.dropTable('archive_conversations')
  }
}
