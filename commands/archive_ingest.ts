import { args } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class ArchiveIngest extends OperatorCommand {
  static override commandName = 'archive:ingest'
  static override description = 'Bring the archives of conversations up to date'
  static override help = [
    'Reads the agents of everyone who keeps an archive, or of one user; an agent that sleeps is woken for it.',
    'Running it again adds nothing twice. Mosaic must be running.',
  ]

  @args.string({ description: 'Email address or breakglass username', required: false })
  declare user?: string

  override async run() {
    const { archiveSource } = await import('#chat/archive_source')
    const { container } = this.app
    const lifecycle = await container.make('agents.lifecycle')
    const gateway = await container.make('openclaw.gateway')
    const ingestion = await container.make('knowledge.archive_ingestion')
    let added = 0
    let failed = 0
    const owners = await this.#owners()
    for (const userId of owners) {
      try {
        const access = await lifecycle.ensureRunning(`user/${userId}`)
        added += (await ingestion.ingest(userId, archiveSource(gateway, access))) ?? 0
      } catch (error) {
        failed++
        this.logger.logError(`user/${userId}: ${(error as Error).message}`)
      }
    }
    if (failed > 0) this.exitCode = 1
    this.report(
      { archives: owners.length, added, failed },
      `${owners.length} archives: ${added} messages added, ${failed} failed.`
    )
  }

  async #owners(): Promise<string[]> {
    const settings = await this.app.container.make('knowledge.archive_settings')
    const keepers = await settings.keepers()
    if (!this.user) return keepers
    const { findActiveUserByName } = await import('#identity/user_lookup')
    const { E_NO_ARCHIVE } = await import('#knowledge/errors')
    const { id } = await findActiveUserByName(this.user)
    if (!keepers.includes(id)) throw new E_NO_ARCHIVE()
    return [id]
  }
}
