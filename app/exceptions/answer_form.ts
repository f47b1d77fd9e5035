import type { HttpContext } from '@adonisjs/core/http'

const JSON_PATHS = /^\/(api|v1|health|metrics)(\/|$)/

/** Returns whether to answer with JSON: always for the API, and for pages if the request asks for JSON. */
export function answersJson({ request }: HttpContext): boolean {
  if (isApiPath(request.url())) return true
  return !request.header('x-inertia') && request.accepts(['html', 'json']) === 'json'
}

/** Returns whether the path is for programs: the API, OpenAI's API, probes. */
export function isApiPath(path: string): boolean {
  return JSON_PATHS.test(path)
}
