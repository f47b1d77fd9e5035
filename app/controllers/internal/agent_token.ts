import type { HttpRequest } from '@adonisjs/core/http'

/** The token that an agent shows: as Bearer, or as `x-api-key` where its API family does that. */
export function agentToken(request: HttpRequest): string | null {
  const bearer = /^Bearer (\S+)$/i.exec(request.header('authorization') ?? '')
  return bearer?.[1] ?? request.header('x-api-key') ?? null
}
