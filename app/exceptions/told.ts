import type { Exception } from '@adonisjs/core/exceptions'

/**
 * Returns whether an error tells a person what happened and what to do. Checks its members, not its class: a
 * plugin may bring another copy of the framework's `Exception`.
 */
export function isTold(error: unknown): error is Exception & { code: string; help: string } {
  if (!(error instanceof Error)) return false
  const { code, help } = error as Partial<Exception>
  return typeof code === 'string' && typeof help === 'string' && help !== ''
}
