import type { HttpContext } from '@adonisjs/core/http'
import type { AllyDriverContract, AllyUserContract } from '@adonisjs/ally/types'
import type { Fetch } from '#llm/contract'
import type { SignUp } from '#models/types'
import type { OidcClient } from '#identity/oidc/client'
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
  signUp: SignUp
}

/**
 * What can be checked of a sign-in.
 *
 * - `state`: the answer belongs to a sign-in that this browser began.
 * - `pkce`: the code is of use to whoever began, and to nobody else. It holds where the service looks at it.
 * - `signature`: the answer is signed by the service, for this client.
 * - `nonce`: the signed answer belongs to this sign-in.
 * - `signedInAt`: the service says when the person last signed in there, so it can confirm who they are.
 */
export const SIGN_IN_CHECKS = ['state', 'pkce', 'signature', 'nonce', 'signedInAt'] as const
export type SignInCheck = (typeof SIGN_IN_CHECKS)[number]

/** What an admin has registered at a service. */
export interface ServiceClient {
  clientId: string
  clientSecret: string
  /** What the admin entered, or the service's default. Empty where it has none. */
  address: string
}

/** What a service needs for one sign-in. */
export interface SignInMeans {
  client: ServiceClient
  pending: PendingSignIn
  /** The only way out to the network: guarded, and to be read with limits. */
  fetch: Fetch
  /** For services that speak OpenID Connect. */
  oidc: OidcClient
}

/** Where a driver of Ally finds its service, by Ally's names. */
export interface Endpoints {
  authorizeUrl: string
  accessTokenUrl: string
  userInfoUrl: string
}

/** Where a service is, if an admin has a say in it. */
export interface AddressField {
  label: string
  help: string
  placeholder: string
  /** Null where the admin must enter one. */
  default: string | null
  /** What an admin entered, as it is stored: one spelling for one place. @throws E_SERVICE_ADDRESS */
  read(entered: string): string
}

/**
 * A kind of service that people can sign in with, over a driver of Ally: what a plugin adds. It keeps no
 * state and reads no row.
 */
export interface SignInService {
  /** Its name in `config/sign_in.ts` and in addresses: lower case, at most 32 characters. */
  readonly name: string
  /** What people know it by. */
  readonly label: string
  /** Where an admin registers Mosaic as a client. */
  readonly registerAt: string
  readonly address?: AddressField
  /** What its driver checks. What is missing is told to the admin, who decides. */
  readonly checks: readonly SignInCheck[]
  /** A driver for this request. It takes state and verifier from `means.pending`, and keeps none itself. */
  driver(ctx: HttpContext, means: SignInMeans): SignInDriver
  /** What the driver's answer says of the person. @throws E_SIGN_IN_REFUSED where it names nobody */
  identityOf(user: SignInUser, client: ServiceClient): Identity
  /** Asks whether the service is there, before a client is stored. @throws what the admin should read */
  look?(client: ServiceClient, means: Pick<SignInMeans, 'fetch' | 'oidc'>): Promise<void>
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
  /** Whether a sign-in there proves that someone is still who they are. */
  confirms: boolean
  /** A driver for this request, and for the sign-in that is remembered in its session. */
  driver(ctx: HttpContext, pending: PendingSignIn): SignInDriver
  /** What the driver's answer says of the person. */
  identityOf(user: SignInUser): Identity
  /** Keeps that a sign-in with these settings has succeeded, where something depends on it. */
  noteTest?(): Promise<void>
}
