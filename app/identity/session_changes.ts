import { isDeepStrictEqual } from 'node:util'

/** Session values, as JSON. */
export type SessionValues = Record<string, unknown>

/** A value that a request set; none if it was removed. */
export interface SessionChange {
  /** Keys that lead to it, outermost first. */
  path: string[]
  value?: unknown
}

/**
 * Returns the differences, value by value, so that two requests that change different values do not undo each
 * other.
 */
export function changesBetween(
  before: SessionValues,
  after: SessionValues,
  path: string[] = []
): SessionChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => {
    const [old, fresh] = [valueOf(before, name), valueOf(after, name)]
    const at = [...path, name]
    if (isDeepStrictEqual(old, fresh)) return []
    return isRecord(old) && isRecord(fresh)
      ? changesBetween(old, fresh, at)
      : [{ path: at, value: fresh }]
  })
}

/** Applies the changes. A change inside an object that no longer exists is dropped. */
export function withChanges(values: SessionValues, changes: SessionChange[]): SessionValues {
  const changed = structuredClone(values)
  for (const { path, value } of changes) {
    const holder = path.slice(0, -1).reduce<unknown>(valueOf, changed)
    if (!isRecord(holder)) continue
    const name = path.at(-1)!
    if (value === undefined) delete holder[name]
    else Object.defineProperty(holder, name, { ...PLAIN, value })
  }
  return changed
}

/** Forms choose session keys, so `__proto__` must be a key like any other. */
const PLAIN = { writable: true, enumerable: true, configurable: true }

const valueOf = (holder: unknown, name: string) =>
  isRecord(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined

const isRecord = (value: unknown): value is SessionValues =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
