/**
 * Middleware stacks. No middleware runs on every route: each route uses one of the stacks below, so
 * that the latency-critical relay has no session, CSRF check or page.
 */
import router from '@adonisjs/core/services/router'
import server from '@adonisjs/core/services/server'
import { FILES_BODY_BYTES } from '#config/bodyparser'

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
  /** The same for bodies that carry files. */
  filesBodyparser: () => import('#middleware/files_bodyparser_middleware'),
  /** Admits strangers to a step of a sign-in with a service: see its routes. */
  serviceSignInLimit: () => import('#middleware/service_sign_in_limit_middleware'),
  session: () => import('#middleware/session_middleware'),
  shield: () => import('#middleware/shield_middleware'),
  auth: () => import('@adonisjs/auth/initialize_auth_middleware'),
  jsonBody: () => import('#middleware/json_body_middleware'),
  /** Admits a request by the rule that its route declares: see `app/middleware/access_middleware.ts`. */
  access: () => import('#middleware/access_middleware'),
  inertia: () => import('#middleware/inertia_middleware'),
  /** The relay's only middleware: requires an access token. */
  tokenAuth: () => import('#middleware/token_auth_middleware'),
})

/** JSON under `/api/v1`: a session with a CSRF token, or an access token. */
export const api = [
  middleware.heldBodies(),
  middleware.bodyparser(),
  middleware.session(),
  middleware.auth(),
  middleware.shield(),
  middleware.access(),
  middleware.jsonBody(),
]

/** The same for what carries files in its JSON. */
export const filesApi = [
  middleware.heldBodies(FILES_BODY_BYTES),
  middleware.filesBodyparser(),
  middleware.session(),
  middleware.auth(),
  middleware.shield(),
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

/** The same for Anthropic's routes. */
export const messagesRelay = [middleware.tokenAuth({ xApiKey: true })]

/** Routes that programs poll: an access token or none, and no session created. */
export const programs = [middleware.auth(), middleware.access()]
