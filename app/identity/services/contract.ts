import type { HttpContext } from '@adonisjs/core/http'
import type { AllyDriverContract, AllyUserContract } from '@adonisjs/ally/types'
import type { Fetch } from '#llm/contract'

/** Runs one sign-in: any Ally driver. */
export type SignInDriver = AllyDriverContract<any, any>

/** The signed-in user that a driver reports, in Ally's shape. */
export type SignInUser = AllyUserContract<any>

/** Data kept in the browser's session between the two halves of a sign-in. */
export interface PendingSignIn {
  state: string
  nonce: string
  /** The PKCE verifier: its digest is sent with the browser, the verifier itself with the code. */
  verifier: string
  redirectUri: string
  /** Fingerprint of the settings it began with: a response is never accepted for another service. */
  fingerprint: string
  /** Most seconds since the last sign-in at the service. Default: any. */
  maxAge?: number
}

/** The person that a service reports. Issuer and subject alone are the identity. */
export interface Identity {
  issuer: string
  subject: string
  /** Named as in OpenID Connect. */
  claims: Record<string, unknown>
  /** A hint for signing out at the service, if it sends one. */
  idToken: string | null
  /** When the person last authenticated at the service, in milliseconds; null if it does not say. */
  signedInAt: number | null
}

/**
 * Checks that a sign-in can undergo.
 *
 * - `state`: the response belongs to a sign-in that this browser began.
 * - `pkce`: the code is useful only to the client that began. Effective only if the service checks it.
 * - `signature`: the service signed the response, for this client.
 * - `nonce`: the signed response belongs to this sign-in.
 * - `signedInAt`: the service says when the person last signed in there, so a sign-in can confirm identity.
 */
export const SIGN_IN_CHECKS = ['state', 'pkce', 'signature', 'nonce', 'signedInAt'] as const
export type SignInCheck = (typeof SIGN_IN_CHECKS)[number]

/** An admin's registration at a service. */
export interface ServiceClient {
  clientId: string
  clientSecret: string
  /** The address that the admin entered, or the service's default. Empty if it has none. */
  address: string
}

/** Everything a service needs for one sign-in. */
export interface SignInMeans {
  client: ServiceClient
  pending: PendingSignIn
  /** The only access to the network: guarded, with limits on what it reads. */
  fetch: Fetch
}

/** Endpoints for an Ally driver, under Ally's names. */
export interface Endpoints {
  authorizeUrl: string
  accessTokenUrl: string
  userInfoUrl: string
}

/** The address of a service, if admins can set it. */
export interface AddressField {
  label: string
  help: string
  placeholder: string
  /** Null if the admin must enter one. */
  default: string | null
  /** Normalises the admin's entry for storage: one spelling per server. @throws E_SERVICE_ADDRESS */
  read(entered: string): string
}

/** A kind of sign-in service over an Ally driver, as a plugin adds it. Stateless; reads no rows. */
export interface SignInService {
  /** Name in `config/sign_in.ts` and in URLs: lower case, at most 32 characters. */
  readonly name: string
  /** Name shown to people. */
  readonly label: string
  /** The page where an admin registers Mosaic as a client. */
  readonly registerAt: string
  readonly address?: AddressField
  /** Checks that its driver makes. The admin sees the missing ones and decides. */
  readonly checks: readonly SignInCheck[]
  /**
   * Creates a driver for this request. It takes state and verifier from `means.pending`, and stores none
   * itself.
   */
  driver(ctx: HttpContext, means: SignInMeans): SignInDriver
  /** Returns the identity from the driver's result. @throws E_SIGN_IN_REFUSED if it names nobody */
  identityOf(user: SignInUser, client: ServiceClient): Identity
  /** Checks that the service exists, before a client is stored. @throws an error for the admin to read */
  look?(client: ServiceClient, means: Pick<SignInMeans, 'fetch'>): Promise<void>
}

/** Creates a service. Called once. */
export type SignInServiceFactory = () => SignInService
