import { Exception } from '@adonisjs/core/exceptions'
import { prettyPrintError } from '@adonisjs/core'

/**
 * Ends a boot that failed. What an operator can mend (an `Exception` with `help`) is one sentence and
 * the next step on standard error; anything else is a defect and keeps its stack.
 */
export async function reportBootFailure(error: unknown): Promise<void> {
  process.exitCode = 1
  if (error instanceof Exception && error.help) {
    process.stderr.write(`${error.code}: ${error.message}\n${error.help}\n`)
    return
  }
  await prettyPrintError(error)
}
