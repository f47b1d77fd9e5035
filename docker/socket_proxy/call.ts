import { Refusal } from '#socket_proxy/refusal'

/** A version of the engine's interface in front of a path. It is cut off: see `Outgoing`. */
const VERSION = /^\/v\d{1,2}\.\d{1,3}(?=\/)/

/** What a caller asked for, taken apart once and in one way. */
export interface Call {
  method: string
  /** Between slashes, decoded, without the version. */
  segments: string[]
  query: URLSearchParams
}

/**
 * Takes a request line apart. What can be read in two ways is refused: encoded slashes, steps upwards,
 * empty segments, a parameter that is given twice.
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

/** Parameters of these names, each at most once. All others are left out: clients send many. */
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
    // Below.
  }
  throw new Refusal('This path could be read in two ways', 400)
}
