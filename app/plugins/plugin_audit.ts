import type { ApplicationService } from '@adonisjs/core/types'
import { operatorLines } from '#exceptions/operator_lines'

/**
 * Records in the audit log that the command line changed a plugin. An installation may have no database yet,
 * or lack the vault that the plugin provides; the change is then made unrecorded.
 *
 * @returns why it was not recorded, as a sentence; null if it was
 */
export async function recordPlugin(
  app: ApplicationService,
  action: 'plugin.added' | 'plugin.removed',
  details: { name: string; version?: string }
): Promise<string | null> {
  const { container } = app
  try {
    const { checkBoot } = await import('#installation/boot_check')
    const { checkVersion } = await import('#installation/migration_state')
    await checkVersion(await container.make('lucid.db'), app)
    await checkBoot(await container.make('settings'))
    const audit = await container.make('audit')
    await audit.record({
      action,
      subject: { type: 'plugin', id: details.name },
      details: { ...details, by: 'command' },
    })
    return null
  } catch (error) {
    const missing = `The audit record has no event "${action}" of it.`
    const lines = operatorLines(error)
    if (lines.length > 0) return [missing, ...lines].join(' ')
    const logger = await container.make('logger')
    logger.warn({ err: error, ...details }, missing)
    return missing
  }
}
