import type { IncomingHttpHeaders } from 'node:http'
import { firstOf } from '#llm_relay/media_type'

/** Request headers passed to a provider. The agent's token is not among them. */
const TO_PROVIDER = [
  'accept',
  'content-type',
  'content-length',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
]

/** Response headers passed to an agent: none that set cookies or reveal the account. */
const TO_AGENT = [
  'content-type',
  'content-encoding',
  'content-length',
  'x-request-id',
  'request-id',
]

/**
 * Returns the headers of the call to the provider, without its key. `accept-encoding` is not passed on, so
 * the answer arrives uncompressed and streams word by word.
 */
export function toProvider(headers: IncomingHttpHeaders): Headers {
  const passed = new Headers({ 'user-agent': 'Mosaic' })
  for (const name of TO_PROVIDER) {
    const value = headers[name]
    if (typeof value === 'string') passed.set(name, value)
  }
  return passed
}

/** Headers that no longer hold once a body is decompressed. */
const OF_COMPRESSION = new Set(['content-encoding', 'content-length'])

/** Returns the headers of the answer to the agent; `isDecoded` if its body was decompressed. */
export function toAgent(
  headers: IncomingHttpHeaders,
  isDecoded: boolean = false
): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const name of TO_AGENT) {
    if (isDecoded && OF_COMPRESSION.has(name)) continue
    const value = firstOf(headers[name])
    if (typeof value === 'string') passed[name] = value
  }
  return passed
}
