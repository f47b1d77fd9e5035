import { Exception } from '@adonisjs/core/exceptions'

/** An agent's call is larger than any provider takes. */
export class E_AGENT_CALL_TOO_LARGE extends Exception {
  static override code = 'E_AGENT_CALL_TOO_LARGE'
  static override status = 413
  static override message = 'The call is larger than Mosaic passes on.'
  static override help = 'Start a new conversation, or send fewer and smaller files.'
}
