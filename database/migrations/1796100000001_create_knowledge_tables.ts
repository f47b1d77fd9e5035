import { BaseSchema } from '@adonisjs/lucid/schema'

/** What agents know: data keys, findings, memories, tasks, and the words by which they are found. */
export default class extends BaseSchema {
  override async up() {
    this.schema.createTable('data_keys', (table) => {
      table.string('id').primary()
      /** `user/<id>`. */
      table.string('owner', 80).notNullable().unique()
      table.string('user_id').nullable().references('users.id').onDelete('CASCADE').index()
      table.text('key').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })

    this.schema.createTable('findings', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      /** `person` or `agent`. */
      table.string('author', 16).notNullable()
      table.text('title').notNullable()
      table.text('body').notNullable()
      table.text('source').nullable()
      table.string('content_mac', 64).notNullable()
      /** `current`, `superseded` or `rejected`. */
      table.string('status', 16).notNullable()
      table.string('superseded_by').nullable().index()
      table.timestamp('confirmed_at').nullable()
      table.timestamp('expires_at').nullable()
      table.integer('bytes').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.index(['user_id', 'bytes'])
      table.index(['user_id', 'created_at'])
      table.index(['user_id', 'content_mac'])
    })

    this.schema.createTable('agent_memories', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      /** `user/<id>`. */
      table.string('agent', 80).notNullable()
      table.string('namespace_mac', 64).notNullable()
      table.string('key_mac', 64).notNullable()
      /** JSON: the namespace and the key. */
      table.text('name').notNullable()
      table.text('value').notNullable()
      table.integer('revision').notNullable()
      table.timestamp('expires_at').nullable()
      table.integer('bytes').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['agent', 'key_mac'])
      table.index(['user_id', 'bytes'])
    })

    this.schema.createTable('tasks', (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.string('author', 16).notNullable()
      table.text('title').notNullable()
      table.text('body').nullable()
      table.text('result').nullable()
      /** `todo`, `doing`, `blocked`, `done` or `cancelled`. */
      table.string('status', 16).notNullable()
      table.integer('priority').notNullable().defaultTo(0)
      table.timestamp('due_at').nullable()
      table.string('assigned_user_id').nullable().references('users.id').onDelete('SET NULL')
      /** `user/<id>`. */
      table.string('assigned_agent', 80).nullable()
      table.timestamp('claimed_until').nullable()
      table.integer('bytes').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.index(['user_id', 'bytes'])
      table.index(['user_id', 'status'])
      table.index('assigned_user_id')
    })

    this.#createIndex()
  }

  override async down() {
    for (const table of [
      'search_words',
      'search_documents',
      'tasks',
      'agent_memories',
      'findings',
      'data_keys',
    ]) {
      this.schema.dropTable(table)
    }
  }

  /** Words are numbers that only their owner's key can make: see `docs/knowledge.md`. */
  #createIndex() {
    this.schema.createTable('search_documents', (table) => {
      table.increments('id')
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      /** `finding` or `archive`. */
      table.string('kind', 16).notNullable()
      table.string('ref_id').notNullable()
      /** Words in all. */
      table.integer('length').notNullable()

      table.unique(['kind', 'ref_id'])
      table.index(['user_id', 'kind', 'length'])
    })

    /** Ordered by word, so that a search reads one stretch for each of its words. */
    const isPostgres = this.db.dialect.name === 'postgres'
    this.schema.raw(`
      create table search_words (
        word bigint not null,
        document_id integer not null references search_documents (id) on delete cascade,
        frequency integer not null,
        length integer not null,
        primary key (word, document_id) ${isPostgres ? 'include (frequency, length)' : ''}
      ) ${isPostgres ? '' : 'without rowid'}
    `)
    this.schema.raw('create index search_words_document_id_index on search_words (document_id)')
  }
}
