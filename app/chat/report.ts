import { Exception } from '@adonisjs/core/exceptions'
import type { Logger } from '@adonisjs/core/logger'

/** Records a failure that a caller reads as an event in a stream, past the exception handler. */
export type Report = (error: unknown) => void

/** Trouble with an agent is a warning, a defect of Mosaic an error; what the caller did wrong is neither. */
export function reportTo(logger: Logger): Report {
  return (error) => {
    if (!(error instanceof Exception)) logger.error({ err: error }, 'a chat failed')
    else if (error.status >= 500) logger.warn({ err: error }, 'a chat failed')
  }
}
