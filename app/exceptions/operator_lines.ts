import type { Exception } from '@adonisjs/core/exceptions'
import { errors as vineErrors } from '@vinejs/vine'
import { listenFailure } from '#exceptions/listen_failure'
import { databaseFailure } from '#exceptions/database_failure'
import { isTold } from '#exceptions/told'

/**
 * Returns a failure as lines for an operator's terminal: its code with a sentence, then the next step.
 * Empty for a defect, which keeps its stack.
 */
export function operatorLines(failure: unknown): string[] {
  if (failure instanceof vineErrors.E_VALIDATION_ERROR) {
    return failure.messages.map((entry: { message: string }) => entry.message)
  }
  const error = isTold(failure) ? failure : named(failure)
  return error ? [`${error.code}: ${error.message}`, error.help!] : []
}

function named(failure: unknown): Exception | null {
  return listenFailure(failure, { host: 'HOST', port: 'PORT' }) ?? databaseFailure(failure)
}
