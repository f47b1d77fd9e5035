import { CodedError } from '#drivers/contract_error'

export class E_NOT_SIGNED_IN extends CodedError {
  static override status = 401
  static override message = 'You are not signed in.'
  static override help = 'Sign in, or send an access token as "Authorization: Bearer …".'
}

export class E_INVALID_TOKEN extends CodedError {
  static override status = 401
  static override message = 'The access token is not valid.'
  static override help = 'Make a new one in the settings, under "Access tokens".'
}

export class E_NOT_ALLOWED extends CodedError {
  static override status = 403
  static override message = 'Only an admin may do this.'
  static override help = 'Ask an admin of this installation.'
}

export class E_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'There is nothing at this address.'
}

/** A route without a rule is a defect, so it serves nobody. */
export class E_NO_ACCESS_RULE extends CodedError {
  static override status = 500
  static override message = 'This route declares no access rule.'
}

export class E_INVALID_CREDENTIALS extends CodedError {
  static override status = 401
  static override message = 'The name or the password is wrong.'
  static override help =
    'Check both. An operator can set a new password with "node ace breakglass:reset".'
}

export class E_JSON_ONLY extends CodedError {
  static override status = 415
  static override message = 'This call takes JSON.'
  static override help = 'Send it with "Content-Type: application/json".'
}

/** Its decompressed size is unknown, and could exceed the memory limits. */
export class E_COMPRESSED_BODY extends CodedError {
  static override status = 415
  static override message = 'Mosaic takes no compressed requests.'
  static override help = 'Send the body as it is, without "Content-Encoding".'
}

export class E_USERNAME_TAKEN extends CodedError {
  static override status = 409
  static override message = 'There is an account of this name already.'
  static override help =
    'Choose another name, or set a new password with "node ace breakglass:reset".'
  readonly field = 'username'
}

export class E_UNKNOWN_USER extends CodedError {
  static override status = 404
  static override message = 'There is no user of this name.'
  static override help = 'Name a user by email address or by breakglass username.'
}

export class E_USER_DEACTIVATED extends CodedError {
  static override status = 409
  static override message = 'This user is deactivated.'
  static override help =
    'Reactivate the user on the page of users, or a local admin with "node ace breakglass:reset".'
}

export class E_NOT_ADMIN extends CodedError {
  static override status = 403
  static override message = 'This user is no admin.'
  static override help = 'Name an admin: the list of users shows who is one.'
}

export class E_PASSWORD_SIGN_IN_OFF extends CodedError {
  static override status = 403
  static override message = 'Passwords are switched off here.'
  static override help = 'Continue with single sign-on.'
}

export class E_CONFIRMATION_NEEDED extends CodedError {
  static override status = 403
  static override message = 'Confirm that it is you.'
  static override help = 'Enter your password, or sign in again; then repeat this.'
}

export class E_TOKEN_ABILITY extends CodedError {
  static override status = 403

  constructor(ability: string) {
    super(`This access token does not have the ability "${ability}".`)
    this.help = 'Make one that has it in the settings, under "Access tokens".'
  }
}

/** A leaked token must not become permanent access. */
export class E_SESSION_NEEDED extends CodedError {
  static override status = 403
  static override message = 'An access token cannot create or change credentials.'
  static override help =
    'Sign in with a browser or POST /api/v1/session, then repeat the request in that session.'
}

export class E_EMAIL_TAKEN extends CodedError {
  static override status = 409
  static override message = 'Someone with this email address is here already.'
  static override help =
    'Look for them in the list: they may be deactivated, or invited before. If a stranger only claims the address, deactivate that account, and invite again.'
  readonly field = 'email'
}

export class E_INVITATION extends CodedError {
  static override status = 404
  static override message = 'This invitation is not valid any more.'
  static override help = 'It works once, for seven days. Ask an admin for a new one.'
}

export class E_NOT_INVITED extends CodedError {
  static override status = 409
  static override message = 'This user has no open invitation.'
  static override help =
    'They have signed in already, or the invitation was revoked. Reload the list of users to see which.'
}

export class E_SELF extends CodedError {
  static override status = 409
  static override message = 'You cannot do this to your own account.'
  static override help = 'Ask another admin.'
}

export class E_LAST_ADMIN extends CodedError {
  static override status = 409
  static override message = 'This is the last admin of the installation.'
  static override help = 'Make someone else an admin first.'
}

/** Each open response keeps a connection open. */
export class E_TOO_MANY_STREAMS extends CodedError {
  static override status = 429
  static override message = 'Too many of your answers and pages are open at the same time.'
  static override help = 'Wait for one to end, or close some.'
  readonly retryAfterSec = 5
}

/** Request bodies are held in memory until their responses end. */
export class E_TOO_MUCH_AT_ONCE extends CodedError {
  static override status = 429
  static override message = 'Your requests that are under way are too large together.'
  static override help = 'Wait for one to end, or send smaller and fewer files.'
  readonly retryAfterSec = 5
}

/** The limit over all users. */
export class E_BODIES_FULL extends CodedError {
  static override status = 503
  static override message = 'Mosaic holds as many large requests as it has room for.'
  static override help = 'Send it again in a few seconds. An admin can make more room.'
  readonly retryAfterSec = 5
}

export class E_TOO_MANY_TOKENS extends CodedError {
  static override status = 409
  static override help = 'Delete one that no program uses. An admin can allow more.'

  constructor(most: number) {
    super(`You have ${most} access tokens, and no user may have more.`)
  }
}

export class E_BROWSER_ONLY extends CodedError {
  static override status = 400
  static override message = 'This is for browsers: it needs a session.'
  static override help = 'Leave the access token out. What it may do needs no session.'
}
