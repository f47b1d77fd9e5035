import { CodedError } from '#drivers/contract_error'

/** An agent's call is larger than any provider accepts. */
export class E_AGENT_CALL_TOO_LARGE extends CodedError {
  static override status = 413
  static override message = 'The call is larger than Mosaic passes on.'
  static override help = 'Start a new conversation, or send fewer and smaller files.'
}

/** Agents have more calls in progress than Mosaic has memory for. */
export class E_AGENT_CALLS_FULL extends CodedError {
  static override status = 503
  static override message = 'Mosaic holds as many calls of agents as it has room for.'
  static override help = 'Send it again in a few seconds, or make fewer calls at the same time.'
}

/** A provider made no vectors for its owner. The message is the reason, for a person. */
export class E_EMBEDDING_FAILED extends CodedError {
  static override status = 502
  static override help =
    'Check the provider and the name of its embedding model under Settings → Knowledge.'
}
