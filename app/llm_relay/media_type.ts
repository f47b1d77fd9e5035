import type { IncomingHttpHeaders } from 'node:http'

/** Returns a body's media type, such as `text/html`: lower case, without parameters. Empty if undeclared. */
export function mediaType({ 'content-type': type }: IncomingHttpHeaders): string {
  return (type ?? '').split(';', 1)[0].trim().toLowerCase()
}
