import type { IncomingHttpHeaders } from 'node:http'

/**
 * The only headers passed from a client to a gateway. Blocked are above all `authorization`, `cookie`,
 * `x-openclaw-*` (which select sessions, models and rights inside the agent) and `x-forwarded-*` (which some
 * gateways trust).
 */
const FROM_CLIENT = [
  'accept-language',
  'user-agent',
  'idempotency-key',
  'traceparent',
  'tracestate',
] as const

/** The only headers passed from a gateway to a client. */
const FROM_AGENT = ['content-type', 'content-length', 'retry-after'] as const

export interface UpstreamHeaders {
  client: IncomingHttpHeaders
  token: string
  sessionKey: string | null
  /** Overrides the agent's model, by the gateway's name for it. */
  model: string | null
}

/** Builds the request headers as the flat list that undici accepts without another copy. */
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

/** Returns the gateway's headers that a client may see. */
export function clientHeaders(fromAgent: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of FROM_AGENT) {
    const value = fromAgent[name]
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}
