import { prettyPrintError } from '@adonisjs/core'
import type { ApplicationService } from '@adonisjs/core/types'
import { operatorLines } from '#exceptions/operator_lines'

/**
 * Ends a failed boot. If the operator can fix the cause, prints one sentence and the next step to standard
 * error; anything else is a defect and keeps its stack.
 */
export async function reportBootFailure(failure: unknown): Promise<void> {
  process.exitCode = 1
  const lines = operatorLines(failure)
  if (lines.length === 0) return prettyPrintError(failure as object)
  process.stderr.write(`${lines.join('\n')}\n`)
}

/**
 * Makes every command, including those of packages and those that fail before they start, report fixable
 * failures like the server. Other failures are printed as ace prints them.
 */
export async function tellCommandFailures(app: ApplicationService): Promise<void> {
  const kernel = await app.container.make('ace')
  const others = kernel.errorHandler
  kernel.errorHandler = {
    async render(failure) {
      const lines = operatorLines(failure)
      if (lines.length === 0) return others.render(failure, kernel)
      for (const line of lines) kernel.ui.logger.logError(line)
    },
  }
}
