import { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'
import { hasCode } from '#drivers/error_code'

/**
 * Refusals of a sign-in: the message for the person, and what to do next. The keys appear in the audit record.
 */
export const SIGN_IN_REFUSALS = {
  not_configured: {
    message: 'This way to sign in is not set up here.',
    help: 'Sign in with a password, or ask an admin.',
  },
  unreachable: {
    message: 'The sign-in service cannot be reached.',
    help: 'Try again in a minute. An admin can sign in with the local account.',
  },
  state: {
    message: 'This sign-in did not begin in this browser.',
    help: 'Begin again on this page.',
  },
  too_late: {
    message: 'The sign-in took too long.',
    help: 'Begin again on this page.',
  },
  settings_changed: {
    message: 'The sign-in settings changed while you were signing in.',
    help: 'Begin again on this page.',
  },
  denied: {
    message: 'The sign-in service did not let you in.',
    help: 'Try again, or ask whoever runs it.',
  },
  code: {
    message: 'The sign-in service rejected its own sign-in code.',
    help: 'Sign in again. If it happens again, ask an admin to check the client ID and secret.',
  },
  issuer: {
    message: 'The answer came from another sign-in service.',
    help: 'Begin again. If it happens again, tell an admin.',
  },
  nonce: {
    message: 'The answer belongs to another sign-in.',
    help: 'Begin again on this page.',
  },
  audience: {
    message: 'The answer was made for another application.',
    help: 'An admin checks the client ID.',
  },
  token_expired: {
    message: 'The answer of the sign-in service was out of date.',
    help: 'Begin again. If it happens again, an admin checks the clocks of both servers.',
  },
  signature: {
    message: 'The answer of the sign-in service is not signed as it should be.',
    help: 'Begin again. If it happens again, tell an admin.',
  },
  invalid: {
    message: 'The sign-in service gave an answer that cannot be used.',
    help: 'Begin again. If it happens again, tell an admin.',
  },
  email_taken: {
    message: 'Another account here has your email address.',
    help: 'Sign in the way you did before, or ask an admin: accounts are never joined by address.',
  },
  no_role: {
    message: 'Your account at the sign-in service does not give you access to Mosaic.',
    help: 'Ask an admin which group you need.',
  },
  role_not_told: {
    message: 'The sign-in service did not say which groups you are in: there are too many.',
    help: 'Ask an admin to use a claim of roles, or to have only the groups of Mosaic sent.',
  },
  not_invited: {
    message: 'Only invited people can sign in to this installation.',
    help: 'Ask an admin for an invitation.',
  },
  invitation: {
    message: 'This invitation is not valid any more.',
    help: 'Ask an admin for a new one.',
  },
  deactivated: {
    message: 'Your account has been deactivated.',
    help: 'Ask an admin.',
  },
  switched_off: {
    message: 'Single sign-on is the only sign-in method here.',
    help: 'Continue with single sign-on.',
  },
  no_proof: {
    message: 'This service does not say when you last signed in there, so it confirms nothing.',
    help: 'Sign in here in another way, or ask an admin.',
  },
  someone_else: {
    message: 'You confirmed as someone else.',
    help: 'Confirm with the account you are signed in with.',
  },
} as const

export type SignInRefusal = keyof typeof SIGN_IN_REFUSALS

/** A sign-in through a service failed; `reason` says why. */
export class E_SIGN_IN_REFUSED extends Exception {
  static override code = 'E_SIGN_IN_REFUSED'
  static override status = 403

  constructor(
    readonly reason: SignInRefusal,
    options?: { cause?: unknown; help?: string }
  ) {
    super(SIGN_IN_REFUSALS[reason].message, { cause: options?.cause })
    this.help = options?.help ?? SIGN_IN_REFUSALS[reason].help
  }
}

/**
 * Returns whether an error is a sign-in refusal. Compares code and reason, because a plugin has its own copy
 * of the class.
 */
export function isSignInRefusal(error: unknown): error is E_SIGN_IN_REFUSED {
  return (
    hasCode(error, 'E_SIGN_IN_REFUSED') &&
    Object.hasOwn(SIGN_IN_REFUSALS, (error as Partial<E_SIGN_IN_REFUSED>).reason ?? '')
  )
}

/** A service answered a driver with an error. Ally reads `response` where it can continue without an answer. */
export class E_SERVICE_ANSWER extends E_SIGN_IN_REFUSED {
  readonly response: { statusCode: number }

  constructor(reason: SignInRefusal, statusCode: number) {
    super(reason, { cause: new Error(`The service answered ${statusCode}`) })
    this.response = { statusCode }
  }
}

/** No plugin provides a service of this name. */
export class E_UNKNOWN_SERVICE extends CodedError {
  static override status = 404
  static override message = 'There is no sign-in service of this name.'
  static override help =
    'Choose a service of the list, or install its plugin (node ace plugin:add).'
}

/** No service answers at the address. */
export class E_SERVICE_ADDRESS extends Exception {
  static override code = 'E_SERVICE_ADDRESS'
  static override status = 422
  readonly field = 'address'

  constructor(message: string, help?: string) {
    super(message)
    this.help = help ?? 'Check the address, and that this server may reach it.'
  }
}

/** A secret is never sent to an address that its owner has not confirmed. */
export class E_SERVICE_SECRET_NEEDED extends CodedError {
  static override status = 422
  static override message = 'Enter the client secret.'
  static override help = 'It is needed once, and again when the address changes.'
  readonly field = 'clientSecret'
}
