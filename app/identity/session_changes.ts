import { isDeepStrictEqual } from 'node:util'

/** The values of a session, as JSON holds them. */
export type SessionValues = Record<string, unknown>

/** One value that a request set, or removed where there is none. */
export interface SessionChange {
  /** The names that lead to it, the outermost first. */
  path: string[]
  value?: unknown
}

/** What differs, each value by itself: two requests that change different ones undo nothing of each other. */
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

/** The values with the changes. A change within an object that is gone by now is left out. */
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

/** Forms name values of a session: `__proto__` is a name like any other. */
const PLAIN = { writable: true, enumerable: true, configurable: true }

const valueOf = (holder: unknown, name: string) =>
  isRecord(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined

const isRecord = (value: unknown): value is SessionValues =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
