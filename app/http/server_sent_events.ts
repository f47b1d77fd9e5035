import type { Readable } from 'node:stream'
import type { HttpContext } from '@adonisjs/core/http'

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  /** Proxies that buffer by default let this answer through as it comes. */
  'x-accel-buffering': 'no',
}

/** Clients skip it; proxies cut a connection that is silent for long. */
export const HEARTBEAT_TEXT = ': still here\n\n'

/** A named event with JSON as its data. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Answers with a stream of events; it is destroyed when the client leaves. */
export function streamEvents({ response }: Pick<HttpContext, 'response'>, events: Readable): void {
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) response.header(name, value)
  response.stream(events)
}
