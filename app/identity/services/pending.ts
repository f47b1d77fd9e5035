import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client'
import type { PendingSignIn } from '#identity/services/contract'
import type { ReadyService } from '#identity/services/ready_service'

/** Longest age, in seconds, of a sign-in at the service that confirms a person's identity. */
const FRESH_SEC = 60

/** Starts a sign-in with its own secrets. */
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
