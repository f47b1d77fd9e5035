import { Exception } from '@adonisjs/core/exceptions'

export class E_SETUP_TOKEN extends Exception {
  static override code = 'E_SETUP_TOKEN'
  static override status = 403
  static override message = 'This setup link is not the one of this installation.'
  static override help = 'Open the link that Mosaic printed when it started, whole.'
}

export class E_ALREADY_CLAIMED extends Exception {
  static override code = 'E_ALREADY_CLAIMED'
  static override status = 409
  static override message = 'This installation has an admin already.'
  static override help =
    'Sign in with that account to go on. An operator can set a new password with "node ace breakglass:reset".'
}

export class E_ONBOARDING_INCOMPLETE extends Exception {
  static override code = 'E_ONBOARDING_INCOMPLETE'
  static override status = 409
  static override message = 'The setup is not finished.'
  static override help = 'Answer or skip the steps that are left, then complete it.'
}

/** What the form sent for a step cannot work. */
export class E_ONBOARDING_STEP extends Exception {
  static override code = 'E_ONBOARDING_STEP'
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
