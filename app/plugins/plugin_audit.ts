import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Notes in the audit record that the command line changed a plugin. An installation may have no database yet, or lack
 * the vault that the plugin brings: then the change is made without a note.
 *
 * @returns whether it was noted
 */
export async function recordPlugin(
  { container }: ApplicationService,
  action: 'plugin.added' | 'plugin.removed',
  details: { name: string; version?: string }
): Promise<boolean> {
  try {
    const { checkBoot } = await import('#installation/boot_check')
    await checkBoot(await container.make('settings'))
    const audit = await container.make('audit')
    await audit.record({
      action,
      subject: { type: 'plugin', id: details.name },
      details: { ...details, by: 'command' },
    })
    return true
  } catch (error) {
    const logger = await container.make('logger')
    logger.warn({ err: error, ...details }, `The audit record has no "${action}"`)
    return false
  }
}
