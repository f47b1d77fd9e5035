import type { HttpContext } from '@adonisjs/core/http'
import { tokenOf } from '#identity/bearer'
import { E_CONFIRMATION_NEEDED, E_SESSION_NEEDED } from '#identity/errors'
import type { Sessions } from '#identity/sessions'

/**
 * Passes only a session whose user confirmed their identity recently.
 *
 * @throws E_SESSION_NEEDED for an access token, E_CONFIRMATION_NEEDED for an older proof
 */
export function requireFreshProof(ctx: HttpContext, sessions: Sessions): void {
  if (tokenOf(ctx.auth)) throw new E_SESSION_NEEDED()
  if (!sessions.isConfirmed(ctx)) throw new E_CONFIRMATION_NEEDED()
}
