import { BaseSchema } from '@adonisjs/lucid/schema'

/** How large each owner's searchable collections are, so that a search need not count. */
export default class extends BaseSchema {
  override async up() {
    this.schema.createTable('search_collections', (table) => {
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      /** `finding` or `archive`. */
      table.string('kind', 16).notNullable()
      table.integer('documents').notNullable()
      /** Words in all. */
      table.bigInteger('words').notNullable()

      table.primary(['user_id', 'kind'])
    })
    this.schema.raw(`
      insert into search_collections (user_id, kind, documents, words)
      select user_id, kind, count(*), sum(length) from search_documents group by user_id, kind
    `)
  }

  override async down() {
    this.schema.dropTable('search_collections')
  }
}
