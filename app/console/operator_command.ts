import type { Readable } from 'node:stream'
import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { operatorLines } from '#exceptions/operator_lines'

/**
 * A command for the operator: with `--json` one object on standard output, else a sentence; what went
 * wrong on standard error, with the next step; an exit status of 0 only when it is done.
 *
 * It works beside a running Mosaic, through the rows and the runtime. An agent that it starts fetches its
 * document from the internal listener, so Mosaic must run for that.
 */
export abstract class OperatorCommand extends BaseCommand {
  static override options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Print one JSON object' })
  declare json: boolean

  /** Where secrets come from that must not stand among the arguments. */
  input: Readable & { isTTY?: boolean } = process.stdin

  /** Before any secret is read or sealed: with the wrong key, or without its tables, nothing is touched. */
  override async prepare(): Promise<void> {
    const { checkBoot } = await import('#installation/boot_check')
    await checkBoot(await this.app.container.make('settings'))
  }

  /** Prints what was done. */
  protected report(result: Record<string, unknown>, sentence: string): void {
    this.logger.log(this.json ? JSON.stringify(result) : sentence)
  }

  /** What a person can mend is two lines; a defect keeps its stack. */
  override completed(): boolean {
    const lines = operatorLines(this.error)
    for (const line of lines) this.logger.logError(line)
    return lines.length > 0
  }
}
