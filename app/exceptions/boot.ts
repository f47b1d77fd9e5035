import { prettyPrintError } from '@adonisjs/core'
import type { ApplicationService } from '@adonisjs/core/types'
import { operatorLines } from '#exceptions/operator_lines'

/**
 * Ends a boot that failed. What an operator can mend is one sentence and the next step on standard
 * error; anything else is a defect and keeps its stack.
 */
export async function reportBootFailure(failure: unknown): Promise<void> {
  process.exitCode = 1
  const lines = operatorLines(failure)
  if (lines.length === 0) return prettyPrintError(failure as object)
  process.stderr.write(`${lines.join('\n')}\n`)
}

/**
 * Lets every command tell what an operator can mend as the server does: those of packages too, and
 * those that fail before they begin. What is left is told as ace tells it.
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
