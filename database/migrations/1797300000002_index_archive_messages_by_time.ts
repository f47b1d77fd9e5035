import { BaseSchema } from '@adonisjs/lucid/schema'

/** Serves the export, which reads a conversation's messages page by page, the oldest first. */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('archive_messages', (table) => {
      table.index(['user_id', 'conversation_id', 'said_at', 'id'])
    })
  }

  override async down() {
    this.schema.alterTable('archive_messages', (table) => {
      table.dropIndex(['user_id', 'conversation_id', 'said_at', 'id'])
    })
  }
}
