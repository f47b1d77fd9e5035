import { createHash } from 'node:crypto'

/** Returns JSON with sorted keys, so that equal values give equal text. Undefined values are omitted. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return entry
    const sorted = Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted)
  })
}

/** Returns the SHA-256 of the canonical JSON in hex. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}
