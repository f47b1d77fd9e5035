import type { Readable } from 'node:stream'
import type { HttpContext } from '@adonisjs/core/http'

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  /** Tells buffering proxies to pass this response through immediately. */
  'x-accel-buffering': 'no',
}

/** A comment that clients ignore. Proxies cut connections that are silent for long. */
export const HEARTBEAT_TEXT = ': still here\n\n'

/** Formats a named event with JSON data. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Responds with an event stream, which is destroyed when the client leaves. */
export function streamEvents({ response }: Pick<HttpContext, 'response'>, events: Readable): void {
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) response.header(name, value)
  response.stream(events)
}
