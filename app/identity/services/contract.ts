import type { HttpContext } from '@adonisjs/core/http'
import type { AllyDriverContract, AllyUserContract } from '@adonisjs/ally/types'
import type { RoleRules } from '#identity/oidc/role_rules'

/** Drives one sign-in: any driver of Ally. */
export type SignInDriver = AllyDriverContract<any, any>

/** Who a driver says has signed in, in Ally's shape. */
export type SignInUser = AllyUserContract<any>

/** What must be remembered in the browser's session between the two halves of a sign-in. */
export interface PendingSignIn {
  state: string
  nonce: string
  /** Of PKCE: its digest goes along with the browser, itself with the code. */
  verifier: string
  redirectUri: string
  /** Of the settings it began with: the answer of one service is never given to another. */
  fingerprint: string
  /** Seconds since the last sign-in at the service that are allowed at most; left out for any. */
  maxAge?: number
}

/** Who a service says has signed in. Issuer and subject are the identity, and nothing else is. */
export interface Identity {
  issuer: string
  subject: string
  /** By the names of OpenID Connect. */
  claims: Record<string, unknown>
  /** A hint for signing out at the service, where there is one. */
  idToken: string | null
  /** When the person last proved to the service who they are, in milliseconds; null where it does not tell. */
  signedInAt: number | null
}

/** Who comes in through a service for the first time, and as what. */
export interface Admission {
  rules: RoleRules
  signUp: 'anyone' | 'invited'
}

/** A service that people can sign in with, as it is set up at this moment. */
export interface ReadyService {
  /** Its place in addresses: `/auth/<name>/start`. */
  name: string
  /** What the sign-in page calls it. */
  label: string
  admission: Admission
  /** Changes with whatever decides if a sign-in can succeed. */
  fingerprint: string
  /** A driver for this request, and for the sign-in that is remembered in its session. */
  driver(ctx: HttpContext, pending: PendingSignIn): SignInDriver
  /** What the driver's answer says of the person. */
  identityOf(user: SignInUser): Identity
  /** Keeps that a sign-in with these settings has succeeded, where something depends on it. */
  noteTest?(): Promise<void>
}
