import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'users'

  override async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id').primary()
      table.string('email').nullable().unique()
      table.string('name').notNullable()
      table.string('image').nullable()
      table.string('role', 16).notNullable().defaultTo('member')
      table.string('oidc_issuer').nullable()
      table.string('oidc_subject').nullable()
      table.timestamp('email_verified_at').nullable()
      table.string('password_hash').nullable()
      table.timestamp('invited_at').nullable()
      table.string('invited_by').nullable().references('users.id').onDelete('SET NULL')
      table.string('invitation_token_hash', 64).nullable().unique()
      table.timestamp('invitation_expires_at').nullable()
      table.timestamp('deactivated_at').nullable()
      table.timestamp('last_sign_in_at').nullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()

      table.unique(['oidc_issuer', 'oidc_subject'])
    })
  }

  override async down() {
    this.schema.dropTable(this.tableName)
  }
}
