import type { HttpContext } from '@adonisjs/core/http'

const JSON_PATHS = /^\/(api|v1|health|metrics)(\/|$)/

/** OpenAI's paths: under `/v1`, and as called by clients whose base URL lacks it. */
const OPENAI_PATHS =
  /^\/(?:v1(?:[/?]|$)|(?:chat\/completions|responses|embeddings|completions|models)(?:[/?]|$))/

const ANTHROPIC_PATHS = /^\/v1\/messages(?:[/?]|$)/

/** Returns whether to answer with JSON: always for the API, and for pages if the request asks for JSON. */
export function answersJson({ request }: HttpContext): boolean {
  if (isApiPath(request.url())) return true
  return !request.header('x-inertia') && request.accepts(['html', 'json']) === 'json'
}

/** Returns whether a client of OpenAI's API, or of another under `/v1`, reads the response. */
export function isOpenAiPath(path: string): boolean {
  return OPENAI_PATHS.test(path)
}

/** Returns whether a client of Anthropic's API reads the response. */
export function isAnthropicPath(path: string): boolean {
  return ANTHROPIC_PATHS.test(path)
}

/** Returns whether the path is for programs: the API, OpenAI's API, probes. */
export function isApiPath(path: string): boolean {
  return JSON_PATHS.test(path) || OPENAI_PATHS.test(path)
}
