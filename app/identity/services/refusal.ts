import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { E_SIGN_IN_REFUSED, isSignInRefusal, type SignInRefusal } from '#identity/services/errors'

/** Refusals by the id_token claim that failed its check. */
const BY_CLAIM: Record<string, SignInRefusal> = {
  iss: 'issuer',
  aud: 'audience',
  azp: 'audience',
  nonce: 'nonce',
  exp: 'token_expired',
  nbf: 'token_expired',
  iat: 'token_expired',
  auth_time: 'token_expired',
}

/** Refusals by Ally's error codes. A callback without a code means that the service sent an error. */
const BY_CODE: Record<string, SignInRefusal> = {
  E_OAUTH_STATE_MISMATCH: 'state',
  E_OAUTH_MISSING_CODE: 'denied',
  E_OAUTH_MISSING_TOKEN: 'code',
}

/** Failures that the library reports by message only, without a code. */
const BY_MESSAGE: [RegExp, SignInRefusal][] = [
  [/"state"/, 'state'],
  [/"iss" \(issuer\)/, 'issuer'],
  [/"nonce"/, 'nonce'],
  [/signature/, 'signature'],
]

interface Failure {
  code?: string
  message?: string
  name?: string
  claim?: string
  cause?: unknown
}

/**
 * Returns why a sign-in failed, from an error of `openid-client` or an Ally driver. Keeps the cause for the
 * log.
 */
export function refusalOf(error: unknown): E_SIGN_IN_REFUSED {
  if (isSignInRefusal(error)) return error
  return new E_SIGN_IN_REFUSED(reasonOf(error), { cause: error })
}

function reasonOf(error: unknown): SignInRefusal {
  if (error instanceof AuthorizationResponseError) return 'denied'
  if (error instanceof ResponseBodyError) return 'code'

  for (let at = error as Failure | undefined, depth = 0; at && depth < 5; depth++) {
    if (isSignInRefusal(at)) return at.reason
    const { claim, code } = at
    if (code && BY_CODE[code]) return BY_CODE[code]
    if (claim && BY_CLAIM[claim]) return BY_CLAIM[claim]
    const told = BY_MESSAGE.find(([words]) => words.test(at?.message ?? ''))
    if (told) return told[1]
    if (at.code === 'OAUTH_KEY_SELECTION_FAILED') return 'signature'
    if (isNetwork(at)) return 'unreachable'
    at = at.cause as Failure | undefined
  }
  return 'invalid'
}

const isNetwork = ({ code, name }: Failure) =>
  name === 'TimeoutError' ||
  code === 'OAUTH_TIMEOUT' ||
  code === 'E_BLOCKED_ADDRESS' ||
  /^(E(CONN|NOTFOUND|HOST|NET|PIPE|AI_)|UND_ERR)/.test(code ?? '')
