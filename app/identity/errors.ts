import { Exception } from '@adonisjs/core/exceptions'

export class E_NOT_SIGNED_IN extends Exception {
  static override code = 'E_NOT_SIGNED_IN'
  static override status = 401
  static override message = 'You are not signed in.'
  static override help = 'Sign in, or send an access token as "Authorization: Bearer …".'
}

export class E_INVALID_TOKEN extends Exception {
  static override code = 'E_INVALID_TOKEN'
  static override status = 401
  static override message = 'The access token is not valid.'
  static override help = 'Make a new one in the settings, under "Access tokens".'
}

export class E_NOT_ALLOWED extends Exception {
  static override code = 'E_NOT_ALLOWED'
  static override status = 403
  static override message = 'Only an admin may do this.'
  static override help = 'Ask an admin of this installation.'
}

export class E_NOT_FOUND extends Exception {
  static override code = 'E_NOT_FOUND'
  static override status = 404
  static override message = 'There is nothing at this address.'
}

/** A route that declares no rule is a defect, so it answers nobody. */
export class E_NO_ACCESS_RULE extends Exception {
  static override code = 'E_NO_ACCESS_RULE'
  static override status = 500
  static override message = 'This route declares no access rule.'
}

export class E_INVALID_CREDENTIALS extends Exception {
  static override code = 'E_INVALID_CREDENTIALS'
  static override status = 401
  static override message = 'The name or the password is wrong.'
  static override help =
    'Check both. An operator can set a new password with "node ace breakglass:reset".'
}

export class E_JSON_ONLY extends Exception {
  static override code = 'E_JSON_ONLY'
  static override status = 415
  static override message = 'Signing in takes JSON.'
  static override help = 'Send it with "Content-Type: application/json".'
}

export class E_USERNAME_TAKEN extends Exception {
  static override code = 'E_USERNAME_TAKEN'
  static override status = 409
  static override message = 'There is an account of this name already.'
  static override help =
    'Choose another name, or set a new password with "node ace breakglass:reset".'
  readonly field = 'username'
}

export class E_UNKNOWN_USER extends Exception {
  static override code = 'E_UNKNOWN_USER'
  static override status = 404
  static override message = 'There is no user of this name.'
  static override help = 'Name a user by email address or by breakglass username.'
}
