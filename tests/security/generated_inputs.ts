import { HOSTILE_VALUES } from '#tests/security/hostile_types'

/** The subset of JSON Schema that the API description uses. */
export interface Schema {
  type?: string | string[]
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

/** Strings known to break programs. */
const NASTY = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  "' or 1=1 --",
  '"; drop table users; --',
  '../../etc/passwd',
  '%00%2e%2e%2f',
  '<script>alert(1)</script>',
  '{{7*7}}${7*7}',
  '\ud800',
  '\u202Ereversed',
  '😀'.repeat(200),
  'x'.repeat(5000),
  '-1',
  '1e309',
  'null',
  'NaN',
  '__proto__',
  'http://169.254.169.254/',
  '2027-01-31T12:00:00Z',
]

/** Values of the wrong type. */
const WRONG = [
  ...[null, true, -1, 0, 1e308, 2 ** 53, 0.1, [], [[]], {}, { a: { b: {} } }, 'text'],
  ...HOSTILE_VALUES,
]

/** Deterministic random numbers for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Generates inputs that fit a schema, nearly fit it, or do not fit at all. */
export class Inputs {
  constructor(protected random: () => number) {}

  chance(probability: number): boolean {
    return this.random() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]
  }

  text(): string {
    return this.pick(NASTY)
  }

  value(schema: Schema | undefined, depth = 0): unknown {
    if (!schema || depth > 6) return this.pick(WRONG)
    if (this.chance(0.12)) return this.pick(WRONG)
    if (this.chance(0.08)) return this.text()
    if (schema.anyOf) return this.value(this.pick(schema.anyOf), depth + 1)
    if (schema.enum) return this.pick(schema.enum)
    switch (this.pick([schema.type ?? 'string'].flat())) {
      case 'object':
        return this.#object(schema, depth)
      case 'array':
        return Array.from({ length: Math.floor(this.random() * 4) }, () =>
          this.value(schema.items, depth + 1)
        )
      case 'number':
      case 'integer':
        return this.#number(schema)
      case 'boolean':
        return this.chance(0.5)
      case 'null':
        return null
      default:
        return this.#string(schema)
    }
  }

  #object({ properties = {}, required = [] }: Schema, depth: number) {
    const made: Record<string, unknown> = {}
    for (const [name, schema] of Object.entries(properties)) {
      const given = required.includes(name) ? this.chance(0.95) : this.chance(0.5)
      if (given) made[name] = this.value(schema, depth + 1)
    }
    if (this.chance(0.1)) made[this.text()] = this.pick(WRONG)
    return made
  }

  #number({ minimum = 0, maximum = 1000 }: Schema): number {
    return this.pick([minimum, maximum, minimum - 1, maximum + 1, Math.round(minimum + 1), 0.5])
  }

  #string({ minLength = 1, maxLength = 64 }: Schema): string {
    const length = this.pick([minLength, Math.min(maxLength, 40), Math.min(maxLength + 1, 6000)])
    return this.chance(0.3) ? this.text() : 'k'.repeat(length)
  }
}
