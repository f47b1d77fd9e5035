import type { IncomingHttpHeaders } from 'node:http'

/** Returns a header's value, or the first one if a service and a proxy in front of it both sent one. */
export function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** Returns a body's media type, such as `text/html`: lower case, without parameters. Empty if undeclared. */
export function mediaType({ 'content-type': type }: IncomingHttpHeaders): string {
  return (firstOf(type) ?? '').split(';', 1)[0].trim().toLowerCase()
}
