import { Exception } from '@adonisjs/core/exceptions'
import { prettyPrintError } from '@adonisjs/core'
import { E_PORT_TAKEN, isPortTaken } from '#exceptions/port_taken'

/**
 * Ends a boot that failed. What an operator can mend (an `Exception` with `help`) is one sentence and
 * the next step on standard error; anything else is a defect and keeps its stack.
 */
export async function reportBootFailure(failure: unknown): Promise<void> {
  process.exitCode = 1
  const error = isPortTaken(failure) ? new E_PORT_TAKEN(failure.port, 'PORT') : failure
  if (error instanceof Exception && error.help) {
    process.stderr.write(`${error.code}: ${error.message}\n${error.help}\n`)
    return
  }
  await prettyPrintError(error)
}
