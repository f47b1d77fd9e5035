import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/**
 * Methods and headers allowed for cross-origin pages. No cookies: `Access-Control-Allow-Credentials` is never
 * sent.
 */
const METHODS = 'GET, POST'
const FALLBACK_HEADERS = 'authorization, content-type'

/** Response headers they may read. */
const EXPOSED = 'retry-after, x-request-id'

/** Seconds that a browser may cache a preflight response. */
const MAX_AGE_SEC = '600'

/** How long a changed list may go unnoticed, in milliseconds. */
const AGE_MS = 2000

export interface CorsOptions {
  /** Returns whether a path is open to pages of other sites. */
  covers: (path: string) => boolean
  /** Allowed origins, in the form that browsers send. */
  origins: () => Promise<string[]>
  now?: () => number
}

/**
 * Lets pages of the listed origins call some paths and read the responses. Runs before the framework and all
 * checks, because a preflight request carries no token. Requests without an origin are not delayed.
 */
export function withCors(handler: RequestListener, options: CorsOptions): RequestListener {
  const listed = recently(options.origins, options.now)
  return (request, response) => {
    const { origin } = request.headers
    if (!origin || !options.covers(request.url ?? '')) return handler(request, response)
    void listed().then(
      (origins) => answer(origins.includes(origin) ? origin : null, request, response, handler),
      () => answer(null, request, response, handler)
    )
  }
}

function answer(
  origin: string | null,
  request: IncomingMessage,
  response: ServerResponse,
  handler: RequestListener
): void {
  response.setHeader('vary', 'origin')
  if (origin) {
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', EXPOSED)
  }
  const isPreflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
  if (!isPreflight) return handler(request, response)
  if (origin) {
    const wanted = request.headers['access-control-request-headers']
    response.setHeader('access-control-allow-methods', METHODS)
    response.setHeader('access-control-allow-headers', wanted ?? FALLBACK_HEADERS)
    response.setHeader('access-control-max-age', MAX_AGE_SEC)
  }
  response.writeHead(204).end()
}

/** Caches the list. Once it is stale, one caller rereads it while the others get the old one. */
function recently(read: () => Promise<string[]>, now: () => number = () => performance.now()) {
  let kept: string[] | null = null
  let readAt = -Infinity
  return async () => {
    if (kept && now() - readAt <= AGE_MS) return kept
    readAt = now()
    kept = await read()
    return kept
  }
}
