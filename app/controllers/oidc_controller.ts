import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { toAnswer } from '#exceptions/api_errors'
import { oidcJourneys } from '#controllers/oidc_journeys'
import { publicOrigin } from '#controllers/public_origin'
import { intendedPage } from '#identity/intended_page'
import { requireSession } from '#identity/sessions'
import { E_NOT_ALLOWED } from '#identity/errors'
import { may } from '#identity/permissions'
import { E_OIDC_REFUSED } from '#identity/oidc/errors'
import type { Journey, Purpose } from '#identity/oidc/sign_in'
import { localPathValidator, invitationTokenValidator } from '#validators/oidc'

const CALLBACK = '/auth/oidc/callback'
const TRIAL_PAGE = '/admin/authentication'

/** `/auth/oidc/*`: the browser's way to the identity provider and back. */
export default class OidcController {
  /** Signing in; with `?invitation=` for someone who was invited. */
  async start(ctx: HttpContext) {
    const { invitation = null } = await invitationTokenValidator.validate(ctx.request.qs())
    return this.#begin(ctx, { kind: 'sign_in', invitation })
  }

  /** A test sign-in of an admin, with the settings as they are stored. */
  test(ctx: HttpContext) {
    return this.#begin(ctx, { kind: 'test' })
  }

  /** Showing that it is still the same person; goes on with the page in `?back=`. */
  async confirm(ctx: HttpContext) {
    requireSession(ctx)
    const { back = '/' } = await localPathValidator.validate(ctx.request.qs())
    intendedPage.remember(ctx, back)
    return this.#begin(ctx, { kind: 'confirm' })
  }

  async callback(ctx: HttpContext) {
    requireSession(ctx)
    const parameters = new URLSearchParams(ctx.request.parsedUrl.query ?? '')
    const journey = oidcJourneys.take(ctx.session, parameters.get('state'))
    try {
      if (!journey) throw new E_OIDC_REFUSED('state')
      return await this.#arrive(ctx, journey, parameters)
    } catch (error) {
      return this.#refused(ctx, journey?.purpose ?? null, error)
    }
  }

  async #begin(ctx: HttpContext, purpose: Purpose) {
    requireSession(ctx)
    try {
      const oidc = await app.container.make('identity.oidc')
      const { url, journey } = await oidc.begin(purpose, (await publicOrigin(ctx)) + CALLBACK)
      oidcJourneys.remember(ctx.session, journey)
      return ctx.response.redirect().toPath(url)
    } catch (error) {
      return this.#refused(ctx, purpose, error)
    }
  }

  async #arrive(ctx: HttpContext, journey: Journey, parameters: URLSearchParams) {
    const oidc = await app.container.make('identity.oidc')
    const sessions = await app.container.make('identity.sessions')
    const { user: present } = ctx.auth

    if (journey.purpose.kind === 'sign_in') {
      const { user, identity } = await oidc.signIn(journey, parameters)
      await sessions.start(ctx, user, 'oidc', identity)
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    if (!present) throw new E_OIDC_REFUSED('state')
    if (journey.purpose.kind === 'confirm') {
      await oidc.confirm(journey, parameters, present)
      await sessions.confirm(ctx)
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    /** They may have been one when they left. */
    if (!may(present, 'manageSettings')) throw new E_NOT_ALLOWED()
    const trial = await oidc.test(journey, parameters, present)
    oidcJourneys.tellTrial(ctx.session, { ok: true, trial })
    return ctx.response.redirect().toPath(TRIAL_PAGE)
  }

  /** The reason goes into the record, and in plain words onto the page where it began. */
  async #refused(ctx: HttpContext, purpose: Purpose | null, error: unknown) {
    if (!(error instanceof E_OIDC_REFUSED)) throw error
    ctx.logger.warn({ err: error, reason: error.reason }, 'A sign-in with the provider was refused')
    const refusals = await app.container.make('identity.deniedAttempts')
    await refusals.note({
      actor: ctx.auth.user,
      action: 'session.refused',
      details: { method: 'oidc', reason: error.reason, purpose: purpose?.kind ?? null },
      address: ctx.request.ip(),
    })
    const [failure] = toAnswer(error).errors
    if (purpose?.kind === 'test') {
      oidcJourneys.tellTrial(ctx.session, { ok: false, failure })
      return ctx.response.redirect().toPath(TRIAL_PAGE)
    }
    if (ctx.auth.user) {
      /** The sign-in page sends on who is signed in: the page where they were tells it instead. */
      ctx.session.flash('error', [failure.message, failure.hint].filter(Boolean).join(' '))
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    oidcJourneys.tellFailure(ctx.session, failure)
    return ctx.response.redirect().toPath('/login')
  }
}
