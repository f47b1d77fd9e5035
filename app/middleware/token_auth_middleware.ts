import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { bearerOf } from '#identity/bearer'
import { staysOpen } from '#openapi/answer'
import { E_INVALID_TOKEN } from '#identity/errors'

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** The owner of the access token. Set on the routes of the relay stack. */
    tokenUserId: string
    /** Whether `user` in a request names a conversation for this token's clients. */
    userNamesConversation: boolean
  }
}

export interface TokenAuthOptions {
  /** Also takes the token from `x-api-key`, where Anthropic's clients put it. */
  xApiKey?: boolean
}

/**
 * The only middleware in front of the relay: an access token as Bearer. No session, and no query while cached.
 */
export default class TokenAuthMiddleware {
  async handle(ctx: HttpContext, next: NextFn, { xApiKey = false }: TokenAuthOptions = {}) {
    const token = bearerOf(ctx.request) ?? (xApiKey ? ctx.request.header('x-api-key') : null)
    const tokens = await app.container.make('identity.tokens')
    const holder = token && (await tokens.identify(token))
    if (!holder) throw new E_INVALID_TOKEN()
    const { userId } = holder
    const limits = await app.container.make('identity.limits')
    await limits.request(userId)
    if (staysOpen(ctx.route?.meta.answers)) limits.stream(userId, ctx.response.response)
    ctx.tokenUserId = userId
    ctx.userNamesConversation = holder.userNamesConversation
    return next()
  }
}
