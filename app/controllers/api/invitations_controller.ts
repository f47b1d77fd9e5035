import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import MeTransformer from '#transformers/me_transformer'
import { E_PASSWORD_SIGN_IN_OFF } from '#identity/errors'
import { requireSession } from '#identity/sessions'
import { acceptInvitationValidator } from '#validators/users'

/** `/api/v1/invitations/:token`: shows an invitation, and accepts it with a password. */
export default class InvitationsController {
  async show({ params }: HttpContext) {
    const invitations = await app.container.make('identity.invitations')
    const { email, name, invitationExpiresAt } = await invitations.findOrFail(params.token)
    const signInMethods = await app.container.make('identity.signInMethods')
    const expiresAt = invitationExpiresAt!.toUTC().toISO()
    return { data: { email, name, expiresAt, ...(await signInMethods.list()) } }
  }

  async accept(ctx: HttpContext) {
    requireSession(ctx)
    const { name, password } = await ctx.request.validateUsing(acceptInvitationValidator)
    const signInMethods = await app.container.make('identity.signInMethods')
    if ((await signInMethods.list()).passwords !== 'all') throw new E_PASSWORD_SIGN_IN_OFF()

    const invitations = await app.container.make('identity.invitations')
    const user = await invitations.acceptWithPassword(ctx.params.token, name, password)
    const sessions = await app.container.make('identity.sessions')
    await sessions.start(ctx, user, 'password')
    return ctx.response.created(await ctx.serialize(MeTransformer.transform(user, 'password')))
  }
}
