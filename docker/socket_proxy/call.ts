import { Refusal } from '#socket_proxy/refusal'

/** An API version at the start of a path. It is removed: see `Outgoing`. */
const VERSION = /^\/v\d{1,2}\.\d{1,3}(?=\/)/

/** A request, parsed once and unambiguously. */
export interface Call {
  method: string
  /** Path segments, decoded, without the version. */
  segments: string[]
  query: URLSearchParams
}

/**
 * Parses a request line. Refuses anything ambiguous: encoded slashes, `..`, empty segments, a repeated
 * parameter.
 *
 * @throws Refusal
 */
export function callOf(method: string, target: string): Call {
  const [path, search = '', ...more] = target.split('?')
  if (!path.startsWith('/') || more.length > 0) throw new Refusal('This is no path', 400)

  const segments = path.replace(VERSION, '').slice(1).split('/').map(decoded)
  if (segments.some((one) => one === '' || one === '.' || one === '..' || one.includes('/'))) {
    throw new Refusal('This path could be read in two ways', 400)
  }
  const query = new URLSearchParams(search)
  return { method, segments, query }
}

/** Returns the named parameters, each at most once. Ignores all others: clients send many. */
export function only(query: URLSearchParams, ...names: string[]): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of names) {
    const [value, ...more] = query.getAll(name)
    if (more.length > 0) throw new Refusal(`${name} is given more than once`, 400)
    if (value !== undefined) kept[name] = value
  }
  return kept
}

function decoded(segment: string): string {
  try {
    const text = decodeURIComponent(segment)
    // eslint-disable-next-line no-control-regex -- these are what must not be in a path
    if (!/[\u0000-\u0020\u007f\\%?#]/.test(text)) return text
  } catch {
    // Refused below.
  }
  throw new Refusal('This path could be read in two ways', 400)
}
