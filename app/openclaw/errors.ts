import { CodedError } from '#drivers/contract_error'

/** The agent's owner has no active provider with a model. */
export class E_NO_PROVIDER extends CodedError {
  static override status = 409
  static override message = 'This agent has no LLM provider that it may use.'
  static override help = 'Add a provider with at least one model under Settings → Providers.'
}

/** The agent does not exist. */
export class E_UNKNOWN_AGENT extends CodedError {
  static override status = 404
  static override message = 'There is no such agent.'
  static override help = 'It may have been deleted. Reload the page.'
}

/** The presented token is not the agent's: the same for unknown, wrong and someone else's. */
export class E_AGENT_UNAUTHORIZED extends CodedError {
  static override status = 401
  static override message = 'This is not the token of that agent.'
  static override help = 'An agent gets its token from Mosaic when it starts. Restart the agent.'
}

/**
 * Whether a gateway refused a request for good: it does not know what it was asked for, or does not allow it. A gateway
 * that drains refuses everything for the moment.
 */
export function isRefused(error: unknown): boolean {
  const { gatewayCode, cause } = error as { gatewayCode?: string; cause?: { gatewayCode?: string } }
  const code = gatewayCode ?? cause?.gatewayCode
  return code !== undefined && code !== 'UNAVAILABLE'
}

/** A gateway did not respond, or its response was unintelligible. */
export class E_GATEWAY_FAILED extends CodedError {
  static override status = 502
  static override message = 'The agent did not answer as expected.'
  static override help = 'Try again. If it happens again, restart the agent.'
}
