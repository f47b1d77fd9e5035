import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'llm_providers'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.string('name').notNullable()
      table.string('display_name').notNullable()
      table.string('type', 32).notNullable()
      table.string('base_url', 2048).nullable()
      table.text('api_key').nullable()
      table.string('api_key_last4', 4).nullable()
      table.timestamp('api_key_updated_at').nullable()
      table.string('api_type', 64).notNullable().defaultTo('openai-completions')
      table.json('models').notNullable()
      table.boolean('is_active').notNullable().defaultTo(true)
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['user_id', 'name'])
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
