/** The words in which a route says what it answers: see `#openapi/route_contract`. */

/** A JSON Schema, in the dialect of OpenAPI 3.1. */
export type Schema = Record<string, unknown>

/** What an object need not have. */
class Optional {
  constructor(readonly schema: Schema) {}
}

export type Properties = Record<string, Schema | Optional>

/** One way in which a route answers that it is done. */
export interface Answer {
  status: number
  /** Left out where there is no body. */
  content?: { type: string; schema?: Schema }
}

const JSON_TYPE = 'application/json'

/** An object with these properties, and maybe others. */
export function object(properties: Properties): Schema {
  const all = Object.entries(properties)
  return {
    type: 'object',
    required: all.flatMap(([name, schema]) => (schema instanceof Optional ? [] : [name])),
    properties: Object.fromEntries(
      all.map(([name, schema]) => [name, schema instanceof Optional ? schema.schema : schema])
    ),
  }
}

/** An object with these properties and no others: what is not described is not told. */
export const shape = (properties: Properties): Schema => ({
  ...object(properties),
  additionalProperties: false,
})

export const text = (): Schema => ({ type: 'string' })
export const flag = (): Schema => ({ type: 'boolean' })
export const count = (): Schema => ({ type: 'integer', minimum: 0 })
/** ISO 8601 in UTC. */
export const time = (): Schema => ({ type: 'string', format: 'date-time' })
/** A day in UTC. */
export const day = (): Schema => ({ type: 'string', format: 'date' })
export const nullable = (schema: Schema): Schema => either(schema, { type: 'null' })
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const optional = (schema: Schema) => new Optional(schema)
export const either = (...schemas: Schema[]): Schema => ({ anyOf: schemas })
export const only = (value: string | boolean): Schema => ({ const: value })
export const oneOf = (values: readonly string[]): Schema => ({ enum: [...values] })
/** By names that are not known beforehand. */
export const record = (schema: Schema = anything()): Schema => ({
  type: 'object',
  additionalProperties: schema,
})
export const anything = (): Schema => ({})

/** `{ data }`: one thing. */
export const one = (schema: Schema, status = 200): Answer => json(shape({ data: schema }), status)

/** `{ data, meta }`: a page of a list. */
export const page = (schema: Schema): Answer =>
  json(
    shape({
      data: list(schema),
      meta: shape({ total: count(), page: count(), limit: count(), totalPages: count() }),
    })
  )

/** JSON without the API's envelope. */
export const json = (schema: Schema, status = 200): Answer => ({
  status,
  content: { type: JSON_TYPE, schema },
})

export const nothing: Answer = { status: 204 }

/** Server-sent events: what they are called and hold is in `docs/api.md`. */
export const events: Answer = { status: 200, content: { type: 'text/event-stream' } }

/** Whether an answer may stay open for long. */
export const staysOpen = (answers: Answer[] = []) => answers.includes(events)

export const file = (type: string): Answer => ({ status: 200, content: { type } })
