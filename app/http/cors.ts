import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/** What pages elsewhere may send. No cookie: `Access-Control-Allow-Credentials` is never told. */
const METHODS = 'GET, POST'
const FALLBACK_HEADERS = 'authorization, content-type'

/** What they may read of an answer beside its body. */
const EXPOSED = 'retry-after, x-request-id'

/** Seconds that a browser need not ask again. */
const MAX_AGE_SEC = '600'

/** How long a changed list may stay unseen, in milliseconds. */
const AGE_MS = 2000

export interface CorsOptions {
  /** Whether a path is open to pages of other sites. */
  covers: (path: string) => boolean
  /** Their origins, as a browser sends them. */
  origins: () => Promise<string[]>
  now?: () => number
}

/**
 * Lets pages of the listed origins call some paths, and read the answers. In front of the framework, and of every
 * check: a browser asks ahead of the request, without its token. Requests that name no origin wait for nothing.
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

/** The list in force, read again when it is old; nobody waits for that but the first. */
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
