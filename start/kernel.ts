/**
 * Which middleware runs where. Nothing runs on every route: a route takes one of the stacks below, so
 * that the relay, whose every microsecond counts, carries no session, no CSRF check and no page.
 */
import router from '@adonisjs/core/services/router'
import server from '@adonisjs/core/services/server'

server.errorHandler(() => import('#exceptions/handler'))

server.use([
  () => import('#middleware/container_bindings_middleware'),
  () => import('#middleware/answer_headers_middleware'),
  () => import('#middleware/forwarded_middleware'),
  () => import('#middleware/compressed_assets_middleware'),
  () => import('@adonisjs/static/static_middleware'),
  () => import('@adonisjs/vite/vite_middleware'),
])

export const middleware = router.named({
  heldBodies: () => import('#middleware/held_bodies_middleware'),
  bodyparser: () => import('@adonisjs/core/bodyparser_middleware'),
  session: () => import('#middleware/session_middleware'),
  shield: () => import('#middleware/shield_middleware'),
  auth: () => import('@adonisjs/auth/initialize_auth_middleware'),
  /** Lets a request through by the rule that its route declares: see `app/middleware/access_middleware.ts`. */
  access: () => import('#middleware/access_middleware'),
  inertia: () => import('#middleware/inertia_middleware'),
  /** The relay's one step: an access token, and nothing else. */
  tokenAuth: () => import('#middleware/token_auth_middleware'),
})

/** JSON under `/api/v1`: a session with a CSRF token, or an access token. */
export const api = [
  middleware.heldBodies(),
  middleware.bodyparser(),
  middleware.session(),
  middleware.shield(),
  middleware.auth(),
  middleware.access(),
]

/** Pages: what the API has, and Inertia. */
export const pages = [
  middleware.heldBodies(),
  middleware.bodyparser(),
  middleware.session(),
  middleware.inertia(),
  middleware.shield(),
  middleware.auth(),
  middleware.access(),
]

/** OpenAI's routes under `/v1`: no session, no body parsing, no page. Sets `ctx.tokenUserId`. */
export const relay = [middleware.tokenAuth()]

/** What programs ask for, again and again: an access token or none, and no session left behind. */
export const programs = [middleware.auth(), middleware.access()]
