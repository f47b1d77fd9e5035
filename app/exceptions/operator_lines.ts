import { Exception } from '@adonisjs/core/exceptions'
import { errors as vineErrors } from '@vinejs/vine'
import { listenFailure } from '#exceptions/listen_failure'
import { databaseFailure } from '#exceptions/database_failure'

/**
 * A failure as whoever runs Mosaic in a terminal reads it: its code with a sentence, then the next step.
 * Nothing for a defect, which keeps its stack.
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

function isTold(failure: unknown): failure is Exception {
  return failure instanceof Exception && Boolean(failure.help)
}
