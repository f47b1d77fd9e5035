/**
 * The address of an agent's call at its provider: the rest of the path and the query below `baseUrl`.
 * Null for a path that leads out of it, however its dots and slashes are written.
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
