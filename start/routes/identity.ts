import router from '@adonisjs/core/services/router'
import {
  accessTokenValidator,
  confirmValidator,
  pageValidator,
  signInValidator,
} from '#validators/identity'
import { acceptInvitationValidator } from '#validators/users'
import { invitationTokenValidator, localPathValidator } from '#validators/oidc'
import { nothing, one, page } from '#openapi/answer'
import {
  accessToken,
  arrival,
  departure,
  me,
  newAccessToken,
  session,
} from '#openapi/shapes/people'
import { invitation, signInMethods } from '#openapi/shapes/sign_in'
import { api, middleware, pages } from '#start/kernel'

const Login = () => import('#controllers/login_controller')
const ServiceSignIn = () => import('#controllers/service_sign_in_controller')
const SignIn = () => import('#controllers/api/sign_in_controller')
const Me = () => import('#controllers/api/me_controller')
const Sessions = () => import('#controllers/api/sessions_controller')
const Invitations = () => import('#controllers/api/invitations_controller')
const AccessTokens = () => import('#controllers/api/access_tokens_controller')

/** The name of a sign-in service. */
const SERVICE = /^[a-z][a-z0-9_-]{0,31}$/

router
  .group(() => {
    router.post('/login', [Login, 'store']).takes(signInValidator).access('anyone')
    router.post('/logout', [Login, 'destroy']).access('anyone')
  })
  .use(pages)

router
  .group(() => {
    router
      .get('/start', [ServiceSignIn, 'start'])
      .as('start')
      .asks(invitationTokenValidator)
      .access('anyone')
      .use(middleware.serviceSignInLimit('start'))
    router
      .get('/callback', [ServiceSignIn, 'callback'])
      .as('callback')
      .access('anyone')
      .use(middleware.serviceSignInLimit('callback'))
    router
      .get('/confirm', [ServiceSignIn, 'confirm'])
      .as('confirm')
      .asks(localPathValidator)
      .access('signedIn')
    router.get('/test', [ServiceSignIn, 'test']).as('test').permission('manageSettings')
  })
  .prefix('/auth/:service')
  .as('service')
  .where('service', SERVICE)
  .use(pages)

router
  .group(() => {
    router
      .get('/sign-in', [SignIn, 'show'])
      .as('signIn.show')
      .answers(one(signInMethods))
      .access('anyone')
    router
      .get('/invitations/:token', [Invitations, 'show'])
      .answers(one(invitation))
      .access('anyone')
    router
      .post('/invitations/:token', [Invitations, 'accept'])
      .answers(one(me, 201))
      .takes(acceptInvitationValidator)
      .access('anyone')

    router
      .post('/session', [Sessions, 'store'])
      .as('session.store')
      .answers(one(arrival, 201))
      .takes(signInValidator)
      .access('anyone')
      .withoutCsrf()
    router
      .post('/session/confirm', [Sessions, 'confirm'])
      .as('session.confirm')
      .answers(nothing)
      .takes(confirmValidator)
    router
      .delete('/session', [Sessions, 'destroy'])
      .as('session.destroy')
      .answers(nothing, one(departure))
    router.get('/sessions', [Sessions, 'index']).answers(page(session)).asks(pageValidator)
    router
      .delete('/sessions', [Sessions, 'revokeOthers'])
      .as('sessions.revokeOthers')
      .answers(nothing)
    router.delete('/sessions/:id', [Sessions, 'revoke']).answers(nothing)

    router.get('/me', [Me, 'show']).answers(one(me))
    router
      .get('/tokens', [AccessTokens, 'index'])
      .as('tokens.index')
      .answers(page(accessToken))
      .asks(pageValidator)
    router
      .post('/tokens', [AccessTokens, 'store'])
      .as('tokens.store')
      .answers(one(newAccessToken, 201))
      .takes(accessTokenValidator)
      .permission('makeTokens')
    router.delete('/tokens/:id', [AccessTokens, 'destroy']).as('tokens.destroy').answers(nothing)
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)
