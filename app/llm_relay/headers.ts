import type { IncomingHttpHeaders } from 'node:http'

/** What a provider may read of an agent's call. The agent's token is not among it. */
const TO_PROVIDER = [
  'accept',
  'content-type',
  'content-length',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
]

/** What an agent may read of a provider's answer: nothing that sets a cookie or tells of the account. */
const TO_AGENT = [
  'content-type',
  'content-encoding',
  'content-length',
  'x-request-id',
  'request-id',
]

/**
 * The headers of the call to the provider, without its key. No `accept-encoding` is passed on, so an
 * answer comes as it is and streams word by word.
 */
export function toProvider(headers: IncomingHttpHeaders): Headers {
  const passed = new Headers({ 'user-agent': 'Mosaic' })
  for (const name of TO_PROVIDER) {
    const value = headers[name]
    if (typeof value === 'string') passed.set(name, value)
  }
  return passed
}

/** What is no longer true of a body whose compression was taken off. */
const OF_COMPRESSION = new Set(['content-encoding', 'content-length'])

/** The headers of the answer to the agent; `isDecoded` where its body was compressed and no longer is. */
export function toAgent(
  headers: IncomingHttpHeaders,
  isDecoded: boolean = false
): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const name of TO_AGENT) {
    if (isDecoded && OF_COMPRESSION.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') passed[name] = value
  }
  return passed
}
