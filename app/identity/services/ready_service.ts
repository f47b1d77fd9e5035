import type { HttpContext } from '@adonisjs/core/http'
import type { SignUp } from '#models/types'
import type { RoleRules } from '#identity/oidc/role_rules'
import type { Identity, PendingSignIn, SignInDriver, SignInUser } from '#identity/services/contract'

/** Who may use a service for the first time, and in which role. */
export interface Admission {
  rules: RoleRules
  signUp: SignUp
}

/** A sign-in service with its current settings. */
export interface ReadyService {
  /** Name in URLs: `/auth/<name>/start`. */
  name: string
  /** Label on the sign-in page. */
  label: string
  admission: Admission
  /** Changes with every setting that decides whether a sign-in can succeed. */
  fingerprint: string
  /** Whether a sign-in there confirms a person's identity. */
  confirms: boolean
  /** Creates a driver for this request and for the pending sign-in in its session. */
  driver(ctx: HttpContext, pending: PendingSignIn): SignInDriver
  /** Returns the identity from the driver's result. */
  identityOf(user: SignInUser): Identity
  /** Records that a sign-in with these settings succeeded, if anything depends on it. */
  noteTest?(): Promise<void>
}
