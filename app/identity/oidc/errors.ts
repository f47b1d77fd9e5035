import { CodedError } from '#drivers/contract_error'

/** The address is not an issuer, or cannot be reached. */
export class E_OIDC_ISSUER extends CodedError {
  static override status = 422
  readonly field: string = 'issuerUrl'

  constructor(message: string, help: string) {
    super(message)
    this.help = help
  }
}

/** Single sign-on must be proven to work before it can become the only way to sign in. */
export class E_OIDC_NOT_TESTED extends CodedError {
  static override status = 409
  static override message = 'Nobody has signed in with these settings yet.'
  static override help =
    'Save them, do one test sign-in that succeeds, then make single sign-on the only sign-in method.'
  readonly field = 'oidc.only'
}

export class E_OIDC_NOT_SET_UP extends CodedError {
  static override status = 409
  static override message = 'Single sign-on is not set up yet.'
  static override help = 'Save an issuer and a client first.'
}

/** A secret is never sent to an address that its owner has not confirmed. */
export class E_OIDC_SECRET_NEEDED extends CodedError {
  static override status = 422
  static override message =
    'Enter the client secret again: the stored one belongs to another issuer.'
  static override help = 'Send "oidc.clientSecret" together with "oidc.issuerUrl".'
  readonly field = 'oidc.clientSecret'
}
