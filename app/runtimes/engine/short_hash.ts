import { createHash } from 'node:crypto'

/** Short enough for names of networks and bridges, long enough to be unique on one engine. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
