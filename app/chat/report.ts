import { Exception } from '@adonisjs/core/exceptions'
import type { Logger } from '@adonisjs/core/logger'

/** Records a failure that reaches the caller as a stream event and so bypasses the exception handler. */
export type Report = (error: unknown) => void

/** Logs agent trouble as a warning and a Mosaic defect as an error; ignores the caller's own mistakes. */
export function reportTo(logger: Logger): Report {
  return (error) => {
    if (!(error instanceof Exception)) logger.error({ err: error }, 'a chat failed')
    else if (error.status >= 500) logger.warn({ err: error }, 'a chat failed')
  }
}
