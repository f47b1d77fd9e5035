import Migrate from '@adonisjs/lucid/commands/migration/run'

/**
 * Lucid's command, which waits for another process that migrates, and refuses a database that this Mosaic could
 * not use afterwards: migrations only go forward.
 */
export default class MigrationRun extends Migrate {
  static override commandName = 'migration:run'
  static override description = 'Migrate the database to the version of the code'

  #unlock = async () => {}

  override async prepare() {
    const { checkBeforeMigration } = await import('#installation/boot_check')
    const { lockMigrations } = await import('#installation/migration_lock')
    const db = await this.app.container.make('lucid.db')
    if (!this.disableLocks) {
      this.#unlock = await lockMigrations(db)
      this.disableLocks = true
    }
    await checkBeforeMigration(db, this.app, await this.app.container.make('settings'))
  }

  override async completed() {
    await this.#unlock()
    await super.completed()
  }
}
