import { BaseSchema } from '@adonisjs/lucid/schema'

/** When an agent sleeps: its owner's wish (null = the installation's policy), and its next scheduled job. */
export default class extends BaseSchema {
  protected tableName = 'user_containers'

  override async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.string('wake_policy', 16).nullable()
      table.timestamp('next_job_at').nullable()
      table.index(['next_job_at'])
    })
  }

  override async down() {
    this.schema.alterTable(this.tableName, (table) => {
      table.dropIndex(['next_job_at'])
      table.dropColumn('wake_policy')
      table.dropColumn('next_job_at')
    })
  }
}
