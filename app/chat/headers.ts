import type { IncomingHttpHeaders } from 'node:http'

/**
 * The only headers that pass from a client to a gateway. Blocked are above all
 * `authorization`, `cookie`, `x-openclaw-*` (which would choose sessions, models and rights inside the
 * agent) and `x-forwarded-*` (which some gateways trust).
 */
const FROM_CLIENT = [
  'accept-language',
  'user-agent',
  'idempotency-key',
  'traceparent',
  'tracestate',
] as const

/** All that a gateway may tell a client, beside the body. */
const FROM_AGENT = ['content-type', 'content-length', 'retry-after'] as const

export interface UpstreamHeaders {
  client: IncomingHttpHeaders
  token: string
  sessionKey: string | null
  /** The model to use instead of the agent's own choice, as the gateway names it. */
  model: string | null
}

/** The request's headers in the flat form that undici takes without another copy. */
export function upstreamHeaders(options: UpstreamHeaders): string[] {
  const headers = [
    'authorization',
    `Bearer ${options.token}`,
    'content-type',
    'application/json',
    'accept',
    'text/event-stream, application/json',
  ]
  if (options.sessionKey !== null) headers.push('x-openclaw-session-key', options.sessionKey)
  if (options.model !== null) headers.push('x-openclaw-model', options.model)
  for (const name of FROM_CLIENT) {
    const value = options.client[name]
    if (typeof value === 'string') headers.push(name, value)
  }
  return headers
}

/** What of the gateway's headers a client may see. */
export function clientHeaders(fromAgent: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of FROM_AGENT) {
    const value = fromAgent[name]
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}
