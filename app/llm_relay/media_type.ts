import type { IncomingHttpHeaders } from 'node:http'

/** What a body is, as `text/html`: small letters, without parameters. Empty where nothing says so. */
export function mediaType({ 'content-type': type }: IncomingHttpHeaders): string {
  return (type ?? '').split(';', 1)[0].trim().toLowerCase()
}
