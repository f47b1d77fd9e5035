import type { HttpContext } from '@adonisjs/core/http'

const JSON_PATHS = /^\/(api|v1|health|metrics)(\/|$)/

/** The API answers JSON whatever was asked for; pages answer pages, unless JSON is asked for. */
export function answersJson({ request }: HttpContext): boolean {
  if (isApiPath(request.url())) return true
  return !request.header('x-inertia') && request.accepts(['html', 'json']) === 'json'
}

/** Whether the path is one for programs: the API, OpenAI's shapes, probes. */
export function isApiPath(path: string): boolean {
  return JSON_PATHS.test(path)
}
