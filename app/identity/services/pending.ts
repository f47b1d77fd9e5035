import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client'
import type { PendingSignIn, ReadyService } from '#identity/services/contract'

/** Seconds ago that someone may have signed in at the service, where they confirm who they are. */
const FRESH_SEC = 60

/** A sign-in that begins: its secrets are of this one alone. */
export function newPending(
  { fingerprint }: Pick<ReadyService, 'fingerprint'>,
  redirectUri: string,
  { fresh = false } = {}
): PendingSignIn {
  return {
    state: randomState(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
    redirectUri,
    fingerprint,
    ...(fresh && { maxAge: FRESH_SEC }),
  }
}
