/**
 * Returns the provider URL of an agent's call: the remaining path and query under `baseUrl`. Null if the path
 * escapes it, however its dots and slashes are encoded.
 */
export function upstreamUrl(baseUrl: string, rest: string): string | null {
  try {
    const base = new URL(`${baseUrl}/`)
    const url = new URL(`${baseUrl}${rest}`)
    const inside = url.origin === base.origin && url.pathname.startsWith(base.pathname)
    return inside ? url.href : null
  } catch {
    return null
  }
}
