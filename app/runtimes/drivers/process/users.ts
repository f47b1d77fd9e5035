import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { RuntimeError } from '#runtimes/errors'

/** A range of user ids that nothing else on the machine uses; group ids are equal to them. */
export interface UserRange {
  first: number
  count: number
}

/** Above the ids that distributions assign to people and services. */
export const DEFAULT_RANGE: UserRange = { first: 200_000, count: 100_000 }

/** For a container whose user namespace maps only 65,536 ids. */
const SMALL_RANGE: UserRange = { first: 20_000, count: 40_000 }

/**
 * Returns the range for agents' own users, or null if Mosaic cannot assign any: it is not root, or its
 * user namespace maps too few ids.
 */
export function usableRange(wanted: UserRange = DEFAULT_RANGE): UserRange | null {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return null
  return [wanted, SMALL_RANGE].find(isMapped) ?? null
}

/** Returns an installation's first id, chosen so that two installations on one machine rarely overlap. */
export function firstOf({ first, count }: UserRange, installation: string): number {
  return first + (createHash('sha256').update(installation).digest().readUInt32BE(0) % count)
}

/**
 * Returns the first unused id from `next` on, wrapping around at the end of the range.
 *
 * @throws RuntimeError `no_capacity`
 */
export function allocate({ first, count }: UserRange, next: number, taken: ReadonlySet<number>) {
  const isInside = next >= first && next < first + count
  const offset = isInside ? next - first : 0
  for (let step = 0; step < count; step++) {
    const id = first + ((offset + step) % count)
    if (!taken.has(id)) return { uid: id, gid: id }
  }
  throw new RuntimeError('no_capacity', 'Every user id that agents may have is taken.', {
    help: 'Give the process driver a larger range in config/runtime.ts.',
  })
}

/** Lines of `uid_map`: first id inside, first id outside, count. */
function isMapped({ first, count }: UserRange): boolean {
  return readFileSync('/proc/self/uid_map', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside, , length]) => inside <= first && first + count <= inside + length)
}
