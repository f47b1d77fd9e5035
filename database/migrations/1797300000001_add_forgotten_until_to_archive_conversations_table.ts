import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * The time of the newest message that the owner deleted of a conversation: no older one is archived again, also if the
 * agent no longer tells that message as it was read. Of conversations without messages it is the last message's.
 */
export default class extends BaseSchema {
  override async up() {
    this.schema.alterTable('archive_conversations', (table) => {
      table.timestamp('forgotten_until').nullable()
    })
    this.schema.raw(`
      update archive_conversations set forgotten_until = last_message_at where not exists (
        select 1 from archive_messages where archive_messages.conversation_id = archive_conversations.id
      )
    `)
  }

  /** In SQL of its own: Knex copies the table on SQLite, and dropping the old one would delete all messages. */
  override async down() {
    this.schema.raw('alter table archive_conversations drop column forgotten_until')
  }
}
