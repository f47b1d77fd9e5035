import { CodedError } from '#drivers/contract_error'
import type { ConnectionFailure, ConnectionTest } from '#llm/contract'

/** The field to check, and how to fix it. */
const REMEDIES: Record<ConnectionFailure, { field: string; help: string }> = {
  unauthorized: { field: 'apiKey', help: 'Check the key: copy it again, whole.' },
  not_found: { field: 'baseUrl', help: 'Check the address: the path may be missing or wrong.' },
  rate_limited: { field: 'apiKey', help: 'Wait a minute, or check the credit of that account.' },
  timeout: { field: 'baseUrl', help: 'Check that the service runs, and try again.' },
  unreachable: { field: 'baseUrl', help: 'Check the address, and that the service runs.' },
  blocked_address: {
    field: 'baseUrl',
    help: 'Allow its private range first: the setting "network.allowedRanges".',
  },
  bad_response: { field: 'baseUrl', help: 'Check that an LLM service answers at this address.' },
}

/** The provider step's connection test failed; `reason` says how. */
export class E_CONNECTION_FAILED extends CodedError {
  static override status = 422
  readonly field: string
  readonly reason: ConnectionFailure

  constructor({ reason, message }: Extract<ConnectionTest, { ok: false }>) {
    super(message)
    this.reason = reason
    this.field = REMEDIES[reason].field
    this.help = REMEDIES[reason].help
  }
}

export class E_SETUP_TOKEN extends CodedError {
  static override status = 403
  static override message = 'This setup link is not the one of this installation.'
  static override help = 'Open the link that Mosaic printed when it started, whole.'
}

export class E_ALREADY_CLAIMED extends CodedError {
  static override status = 409
  static override message = 'This installation has an admin already.'
  static override help =
    'Sign in with that account to go on. An operator can set a new password with "node ace breakglass:reset".'
}

export class E_ONBOARDING_INCOMPLETE extends CodedError {
  static override status = 409
  static override message = 'The setup is not finished.'
  static override help = 'Answer or skip the steps that are left, then complete it.'
}

/** A step's form has an unusable value. */
export class E_ONBOARDING_STEP extends CodedError {
  static override status = 422

  constructor(
    message: string,
    readonly field: string,
    help: string
  ) {
    super(message)
    this.help = help
  }
}
