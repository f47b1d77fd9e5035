import type { HttpRequest } from '@adonisjs/core/http'

/** Returns the token that an agent sends: as Bearer, or as `x-api-key` if its API family uses that. */
export function agentToken(request: HttpRequest): string | null {
  const bearer = /^Bearer (\S+)$/i.exec(request.header('authorization') ?? '')
  return bearer?.[1] ?? request.header('x-api-key') ?? null
}
