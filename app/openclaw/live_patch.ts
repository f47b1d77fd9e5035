/** Document sections that OpenClaw reloads while it runs: agents and models. */
const LIVE_SECTIONS = ['agents', 'models']
/** OpenClaw's own metadata in a document it has written. */
const NOTES = 'meta'
/** A gateway's placeholder for values that might be secret. */
const REDACTED = '__OPENCLAW_REDACTED__'

type Json = Record<string, unknown>

export interface LivePatch {
  /** A JSON merge patch: objects merge, null deletes. */
  patch: Json
  /** Arrays replaced or removed by the patch: a gateway requires each to be named. */
  replacePaths: string[]
}

/**
 * Returns the patch that turns a running gateway's document into another without a restart. Null if anything
 * outside the live sections differs, or an array's path cannot be named. Empty if nothing differs.
 */
export function livePatch(current: Json, wanted: Json): LivePatch | null {
  const names = new Set([...Object.keys(current), ...Object.keys(wanted)])
  for (const name of names) {
    if (name === NOTES || LIVE_SECTIONS.includes(name)) continue
    if (!isSame(own(current, name), own(wanted, name))) return null
  }
  const replacePaths: string[] = []
  const patch: Json = {}
  for (const name of LIVE_SECTIONS) {
    const change = difference(own(current, name), own(wanted, name), name, replacePaths)
    if (change !== undefined) patch[name] = change
  }
  return replacePaths.every((path) => !path.includes(UNNAMEABLE)) ? { patch, replacePaths } : null
}

/** Replaces a key that contains a dot or bracket, which a path cannot express. */
const UNNAMEABLE = '\0'

/** Returns undefined if both are equal. */
function difference(current: unknown, wanted: unknown, path: string, arrays: string[]): unknown {
  if (isSame(current, wanted)) return undefined
  if (wanted === undefined) {
    arrays.push(...arraysIn(current, path))
    return null
  }
  if (!isObject(current) || !isObject(wanted)) {
    if (Array.isArray(current)) arrays.push(path)
    return wanted
  }
  /** Without a prototype, `__proto__` is a key as any other. */
  const patch: Json = Object.create(null)
  for (const key of new Set([...Object.keys(current), ...Object.keys(wanted)])) {
    const change = difference(own(current, key), own(wanted, key), below(path, key), arrays)
    if (change !== undefined) patch[key] = change
  }
  return patch
}

/** Returns the paths of nested arrays, but none within another array. */
function arraysIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [path]
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => arraysIn(entry, below(path, key)))
}

function below(path: string, key: string): string {
  return `${path}.${/[.[\]]/.test(key) ? UNNAMEABLE : key}`
}

function isSame(current: unknown, wanted: unknown): boolean {
  if (current === REDACTED && typeof wanted === 'string') return true
  if (Array.isArray(current) && Array.isArray(wanted)) {
    return (
      current.length === wanted.length &&
      current.every((entry, index) => isSame(entry, wanted[index]))
    )
  }
  if (!isObject(current) || !isObject(wanted)) return current === wanted
  const keys = Object.keys(current)
  return (
    keys.length === Object.keys(wanted).length &&
    keys.every((key) => Object.hasOwn(wanted, key) && isSame(current[key], wanted[key]))
  )
}

/** An agent's document can name any key, `constructor` too. */
function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
