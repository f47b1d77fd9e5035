import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'user_agent_configs'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('user_id').notNullable().unique().references('users.id').onDelete('CASCADE')
      table.string('primary_model').nullable()
      table.json('fallback_models').notNullable()
      table.text('personality').nullable()
      table.string('provider_id').nullable().references('llm_providers.id').onDelete('SET NULL')
      table.string('profile', 16).notNullable().defaultTo('minimal')
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
