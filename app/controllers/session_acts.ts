import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { publicOrigin } from '#controllers/public_origin'
import { knownBrowsers } from '#identity/known_browsers'
import { signInValidator } from '#validators/identity'

/** Starts a session by the name and password in the request. @throws E_VALIDATION_ERROR, E_INVALID_CREDENTIALS */
export async function startWithPassword(ctx: HttpContext) {
  const credentials = await ctx.request.validateUsing(signInValidator)
  const signIn = await app.container.make('identity.signIn')
  const { user, method } = await signIn.withPassword(
    credentials,
    ctx.request.ip(),
    knownBrowsers.find(ctx, credentials.username)
  )
  const sessions = await app.container.make('identity.sessions')
  await sessions.start(ctx, user, method)
  knownBrowsers.remember(ctx, credentials.username)
  return { user, method }
}

/** Ends the session. Returns a sign-out page if it began at a provider that has one. */
export async function endSession(ctx: HttpContext) {
  const sessions = await app.container.make('identity.sessions')
  const idToken = await sessions.end(ctx)
  const oidc = await app.container.make('identity.oidc')
  const origin = await publicOrigin(ctx)
  return idToken && (await oidc.signOutUrl(idToken, `${origin}/login`))
}
