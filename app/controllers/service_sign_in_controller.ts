import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { toAnswer } from '#exceptions/api_errors'
import { signInJourneys } from '#controllers/sign_in_journeys'
import { publicOrigin } from '#controllers/public_origin'
import { intendedPage } from '#identity/intended_page'
import { requireSession } from '#identity/sessions'
import { E_NOT_ALLOWED } from '#identity/errors'
import { may } from '#identity/permissions'
import { E_SIGN_IN_REFUSED, isSignInRefusal } from '#identity/services/errors'
import type { Journey, Purpose } from '#identity/services/sign_in'
import { localPathValidator, invitationTokenValidator } from '#validators/oidc'

const TRIAL_PAGE = '/admin/authentication'

/** `/auth/:service/*`: sends the browser to a sign-in service and handles its return. */
export default class ServiceSignInController {
  /** Starts a sign-in; with `?invitation=` for an invited person. */
  async start(ctx: HttpContext) {
    const { invitation = null } = await invitationTokenValidator.validate(ctx.request.qs())
    return this.#begin(ctx, { kind: 'sign_in', invitation })
  }

  /** Starts an admin's test sign-in with the stored settings. */
  test(ctx: HttpContext) {
    return this.#begin(ctx, { kind: 'test' })
  }

  /** Starts a confirmation of identity; continues at the page in `?back=`. */
  async confirm(ctx: HttpContext) {
    requireSession(ctx)
    const { back = '/' } = await localPathValidator.validate(ctx.request.qs())
    intendedPage.remember(ctx, back)
    return this.#begin(ctx, { kind: 'confirm' })
  }

  async callback(ctx: HttpContext) {
    requireSession(ctx)
    const parameters = new URLSearchParams(ctx.request.parsedUrl.query ?? '')
    const journey = signInJourneys.take(ctx.session, parameters.get('state'))
    try {
      /** Each service has its own callback, so one service's response is never accepted for another. */
      if (journey?.service !== ctx.params.service) throw new E_SIGN_IN_REFUSED('state')
      return await this.#arrive(ctx, journey!)
    } catch (error) {
      return this.#refused(ctx, journey?.purpose ?? null, error)
    }
  }

  async #begin(ctx: HttpContext, purpose: Purpose) {
    requireSession(ctx)
    try {
      const { service } = ctx.params
      const signIn = await app.container.make('identity.services.signIn')
      const callback = `${await publicOrigin(ctx)}/auth/${service}/callback`
      const { url, journey } = await signIn.begin(ctx, service, purpose, callback)
      signInJourneys.remember(ctx.session, journey)
      return ctx.response.redirect().toPath(url)
    } catch (error) {
      return this.#refused(ctx, purpose, error)
    }
  }

  async #arrive(ctx: HttpContext, journey: Journey) {
    const signIn = await app.container.make('identity.services.signIn')
    const sessions = await app.container.make('identity.sessions')
    const { user: present } = ctx.auth

    if (journey.purpose.kind === 'sign_in') {
      const { user, identity } = await signIn.signIn(ctx, journey)
      await sessions.start(ctx, user, journey.service, identity)
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    if (!present) throw new E_SIGN_IN_REFUSED('state')
    if (journey.purpose.kind === 'confirm') {
      await signIn.confirm(ctx, journey, present)
      await sessions.confirm(ctx)
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    /** They may have lost the role since they left. */
    if (!may(present, 'manageSettings')) throw new E_NOT_ALLOWED()
    const trial = await signIn.test(ctx, journey, present)
    signInJourneys.tellTrial(ctx.session, ctx.params.service, { ok: true, trial })
    return ctx.response.redirect().toPath(TRIAL_PAGE)
  }

  /** Records the reason, and shows it in plain words on the page where the sign-in began. */
  async #refused(ctx: HttpContext, purpose: Purpose | null, error: unknown) {
    if (!isSignInRefusal(error)) throw error
    ctx.logger.warn({ err: error, reason: error.reason }, 'A sign-in with a service was refused')
    const refusals = await app.container.make('identity.deniedAttempts')
    await refusals.note({
      actor: ctx.auth.user,
      action: 'session.refused',
      details: {
        method: ctx.params.service,
        reason: error.reason,
        purpose: purpose?.kind ?? null,
      },
      address: ctx.request.ip(),
    })
    const [failure] = toAnswer(error).errors
    if (purpose?.kind === 'test') {
      signInJourneys.tellTrial(ctx.session, ctx.params.service, { ok: false, failure })
      return ctx.response.redirect().toPath(TRIAL_PAGE)
    }
    if (ctx.auth.user) {
      /** The sign-in page redirects signed-in users, so the page they came from shows the error instead. */
      ctx.session.flash('error', [failure.message, failure.hint].filter(Boolean).join(' '))
      return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
    }
    signInJourneys.tellFailure(ctx.session, failure)
    return ctx.response.redirect().toPath('/login')
  }
}
