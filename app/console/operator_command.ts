import type { Readable } from 'node:stream'
import { Exception } from '@adonisjs/core/exceptions'
import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { errors as vineErrors } from '@vinejs/vine'

/**
 * A command for the operator: with `--json` one object on standard output, else a sentence; what went
 * wrong on standard error, with the next step; an exit status of 0 only when it is done.
 */
export abstract class OperatorCommand extends BaseCommand {
  static override options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Print one JSON object' })
  declare json: boolean

  /** Where secrets come from that must not stand among the arguments. */
  input: Readable & { isTTY?: boolean } = process.stdin

  /** Prints what was done. */
  protected report(result: Record<string, unknown>, sentence: string): void {
    this.logger.log(this.json ? JSON.stringify(result) : sentence)
  }

  /** What a person can mend is two lines; a defect keeps its stack. */
  override completed(): boolean {
    const lines = linesOf(this.error)
    for (const line of lines) this.logger.logError(line)
    return lines.length > 0
  }
}

function linesOf(error: unknown): string[] {
  if (error instanceof vineErrors.E_VALIDATION_ERROR) {
    return error.messages.map((entry: { message: string }) => entry.message)
  }
  if (error instanceof Exception && error.help) {
    return [`${error.code}: ${error.message}`, error.help]
  }
  return []
}
