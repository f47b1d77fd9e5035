import type { Readable } from 'node:stream'
import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { operatorLines } from '#exceptions/operator_lines'

/**
 * Base of operator commands. Prints a sentence to standard output, or one object with `--json`. Errors go to
 * standard error with the next step. The exit status is 0 only on success.
 *
 * Works beside a running Mosaic, through the rows and the runtime. An agent started here fetches its document
 * from the internal listener, so Mosaic must be running for that.
 */
export abstract class OperatorCommand extends BaseCommand {
  static override options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Print one JSON object' })
  declare json: boolean

  /** Source of secrets, which must not appear in the arguments. */
  input: Readable & { isTTY?: boolean } = process.stdin

  /**
   * Checks the tables and the key before any secret is read or sealed, so that a wrong setup changes nothing.
   */
  override async prepare(): Promise<void> {
    const { checkBoot, checkTables } = await import('#installation/boot_check')
    const { checkVersion } = await import('#installation/migration_state')
    const settings = await this.app.container.make('settings')
    await checkTables(settings)
    await checkVersion(await this.app.container.make('lucid.db'), this.app)
    await checkBoot(settings)
  }

  /** Prints the result. */
  protected report(result: Record<string, unknown>, sentence: string): void {
    this.logger.log(this.json ? JSON.stringify(result) : sentence)
  }

  /** Prints errors that people can fix as two lines; defects keep their stack trace. */
  override completed(): boolean {
    const lines = operatorLines(this.error)
    for (const line of lines) this.logger.logError(line)
    return lines.length > 0
  }
}
