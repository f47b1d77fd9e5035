import { Exception } from '@adonisjs/core/exceptions'

/**
 * Why an agent is not running: a closed list. Mosaic has a sentence for the owner per reason; each is also a
 * metric label.
 */
export const FAILURE_REASONS = [
  'image_missing',
  'pull_timeout',
  'engine_unreachable',
  'no_capacity',
  'boot_timeout',
  'exited_early',
  'out_of_memory',
  'config_rejected',
  'no_provider',
  'data_stranded',
  'not_isolated',
  'database_away',
  'cancelled',
  'internal',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/**
 * An error of a driver. `reason` is for the row and the metric, the message for the operator's log; the
 * agent's owner reads the reason's own sentence instead. It keeps the cause, but no secrets.
 */
export class RuntimeError extends Exception {
  static override code = 'E_RUNTIME'
  static override status = 503

  constructor(
    readonly reason: FailureReason,
    message: string,
    options?: ErrorOptions & { help?: string; code?: string }
  ) {
    super(message, options)
    this.help = options?.help
  }
}

/** Whether a text is a known reason. */
export function isFailureReason(text: unknown): text is FailureReason {
  return (FAILURE_REASONS as readonly unknown[]).includes(text)
}

/**
 * Whether an error is a `RuntimeError`, by code and reason: a plugin may have another copy of this
 * class, or its own.
 */
export function isRuntimeError(error: unknown): error is RuntimeError {
  if (!(error instanceof Error)) return false
  const { code, reason } = error as Partial<RuntimeError>
  return typeof code === 'string' && code.startsWith('E_') && isFailureReason(reason)
}

/** A foreign object has the instance's name. It was not touched. */
export class E_RUNTIME_NAME_TAKEN extends RuntimeError {
  static override code = 'E_RUNTIME_NAME_TAKEN'

  constructor(name: string, options?: ErrorOptions) {
    super('internal', `"${name}" exists already and was not made by this installation.`, {
      ...options,
      help: 'Keep it if it may hold an agent’s data, as a volume that you restored: docs/backup.md tells how to go on. Remove or rename anything else by hand, then try again.',
    })
  }
}

/** The runtime has no node of this id. */
export class E_RUNTIME_NODE_UNKNOWN extends RuntimeError {
  static override code = 'E_RUNTIME_NODE_UNKNOWN'
  static override status = 404

  constructor(node: string, options?: ErrorOptions) {
    super('internal', `The runtime has no node "${node}".`, {
      ...options,
      help: 'It may have left. The overview of the administration lists the nodes.',
    })
  }
}
