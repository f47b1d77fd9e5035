import type { Schema } from '#tests/security/generated_inputs'

const DEEP = 3000

/** Written as JSON, because no literal creates an own `__proto__`. */
const HOSTILE = [
  '{"toString":1}',
  '{"toString":null,"valueOf":null}',
  '{"__proto__":{"isAdmin":true}}',
  '{"length":-1,"trim":1,"split":1,"toJSON":1,"then":1}',
  '["a",["b",{"toString":1}]]',
]

/** Parses, but exhausts the stack of whatever serializes it. */
const NESTED = `${'['.repeat(5 * DEEP)}${']'.repeat(5 * DEEP)}`

/** Used only as whole bodies, because they target the parser. */
const HOSTILE_BODIES = [
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
]

export const HOSTILE_VALUES: unknown[] = HOSTILE.map((json) => JSON.parse(json))

/** Placeholder for a hostile value until the JSON is written. */
const MARK = '\u0001hostile\u0001'

/** Returns bodies that fit a schema except for one hostile value: each value at each place. */
export function hostileBodies(schema: Schema): string[] {
  const places = [...marked(schema)].map((body) => JSON.stringify(body))
  const quoted = JSON.stringify(MARK)
  const within = places.flatMap((body) =>
    [...HOSTILE, NESTED].map((json) => body.replace(quoted, json))
  )
  return [...HOSTILE_BODIES, ...within]
}

/** The query parser turns names with brackets into objects and lists. */
export function hostileQueries(name: string): string[] {
  const names = ['[]', '[toString]', '[__proto__][a]', '[a][b][c]', '[length]']
  return names
    .map((brackets) => `${name}${encodeURIComponent(brackets)}=1`)
    .concat(`${name}=a&${name}=b`)
}

/** Yields the schema's value with the mark at one place after another. */
function* marked(schema: Schema): Generator<unknown> {
  yield MARK
  if (schema.anyOf) {
    for (const one of schema.anyOf) for (const value of marked(one)) if (value !== MARK) yield value
  }
  if (schema.items) for (const value of marked(schema.items)) yield [value]
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    for (const value of marked(inner)) yield { ...(fitting(schema) as object), [name]: value }
  }
}

function fitting(schema: Schema, depth = 0): unknown {
  if (schema.anyOf) return fitting(schema.anyOf[0], depth + 1)
  if (schema.enum) return schema.enum[0]
  switch ([schema.type ?? 'string'].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => schema.required?.includes(name))
          .map(([name, inner]) => [name, fitting(inner, depth + 1)])
      )
    case 'array':
      return depth > 4 || !schema.items ? [] : [fitting(schema.items, depth + 1)]
    case 'number':
    case 'integer':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return 'k'.repeat(Math.max(schema.minLength ?? 0, 8))
  }
}
