import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import type { SentInvitation } from '#identity/invitations'
import type { Actor } from '#settings/actor'
import { publicOrigin } from '#controllers/public_origin'
import AdminUserTransformer from '#transformers/admin_user_transformer'
import AdminUserDetailsTransformer from '#transformers/admin_user_details_transformer'
import { inviteValidator, userChangesValidator, usersQueryValidator } from '#validators/users'

const byAdmin = ({ auth, request }: HttpContext): Actor => ({
  user: auth.user!,
  address: request.ip(),
})

/** `/api/v1/admin/users`. */
export default class AdminUsersController {
  async index({ request, serialize }: HttpContext) {
    const query = await usersQueryValidator.validate(request.qs())
    const directory = await app.container.make('identity.users')
    const { rows, meta } = await directory.list(query)
    return serialize(AdminUserTransformer.paginate(rows, meta))
  }

  async show({ params, serialize }: HttpContext) {
    const directory = await app.container.make('identity.users')
    return serialize(AdminUserDetailsTransformer.transform(await directory.describe(params.id)))
  }

  async update(ctx: HttpContext) {
    const changes = await ctx.request.validateUsing(userChangesValidator)
    const administration = await app.container.make('identity.administration')
    await administration.update(ctx.params.id, changes, byAdmin(ctx))
    return this.#answer(ctx, ctx.params.id)
  }

  async deactivate(ctx: HttpContext) {
    const administration = await app.container.make('identity.administration')
    await administration.deactivate(ctx.params.id, byAdmin(ctx))
    return this.#answer(ctx, ctx.params.id)
  }

  async reactivate(ctx: HttpContext) {
    const administration = await app.container.make('identity.administration')
    await administration.reactivate(ctx.params.id, byAdmin(ctx))
    return this.#answer(ctx, ctx.params.id)
  }

  /** The only response with the link, besides that of `renewInvitation`. */
  async invite(ctx: HttpContext) {
    const { role = 'member', ...input } = await ctx.request.validateUsing(inviteValidator)
    const invitations = await app.container.make('identity.invitations')
    const sent = await invitations.invite({ ...input, role }, byAdmin(ctx))
    ctx.response.status(201)
    return this.#answer(ctx, sent.user.id, sent)
  }

  async renewInvitation(ctx: HttpContext) {
    const directory = await app.container.make('identity.users')
    const { user } = await directory.find(ctx.params.id)
    const invitations = await app.container.make('identity.invitations')
    const sent = await invitations.renew(user, byAdmin(ctx))
    return this.#answer(ctx, user.id, sent)
  }

  async revokeInvitation(ctx: HttpContext) {
    const directory = await app.container.make('identity.users')
    const { user } = await directory.find(ctx.params.id)
    const invitations = await app.container.make('identity.invitations')
    await invitations.revoke(user, byAdmin(ctx))
    return ctx.response.noContent()
  }

  async #answer(ctx: HttpContext, id: string, sent?: SentInvitation) {
    const directory = await app.container.make('identity.users')
    const { data } = await ctx.serialize(AdminUserTransformer.transform(await directory.find(id)))
    if (!sent) return { data }
    const { user, token } = sent
    const url = `${await publicOrigin(ctx)}/invitations/${token}`
    const expiresAt = user.invitationExpiresAt!.toUTC().toISO()
    const delivery = await app.container.make('identity.invitationDelivery')
    const mail = await delivery.send(user, ctx.auth.user!, url)
    return { data: { ...data, invitation: { url, expiresAt, mail } } }
  }
}
