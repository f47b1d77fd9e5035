import type { HttpContext } from '@adonisjs/core/http'

const JSON_PATHS = /^\/(api|v1|health|metrics)(\/|$)/

/** OpenAI's own paths, for its clients: with `/v1`, and as one calls them whose base URL lacks it. */
const OPENAI_PATHS =
  /^\/(?:v1(?:[/?]|$)|(?:chat\/completions|responses|embeddings|completions|models)(?:[/?]|$))/

/** Returns whether to answer with JSON: always for the API, and for pages if the request asks for JSON. */
export function answersJson({ request }: HttpContext): boolean {
  if (isApiPath(request.url())) return true
  return !request.header('x-inertia') && request.accepts(['html', 'json']) === 'json'
}

/** Whether a client of OpenAI's reads the answer. */
export function isOpenAiPath(path: string): boolean {
  return OPENAI_PATHS.test(path)
}

/** Returns whether the path is for programs: the API, OpenAI's API, probes. */
export function isApiPath(path: string): boolean {
  return JSON_PATHS.test(path) || OPENAI_PATHS.test(path)
}
