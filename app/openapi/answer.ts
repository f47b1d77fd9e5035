/**
 * The words in which a route describes its answers: see `#openapi/route_contract`. An answer's shape is
 * written once. TypeBox makes the JSON Schema of the OpenAPI document from it, which tests check each answer
 * against, and the pages' type: `Static<typeof shape>`.
 */
import { Type, type TProperties, type TSchema, type TUnsafe, type Static } from 'typebox'

/** One successful answer of a route. */
export interface Answer {
  status: number
  /** Left out where there is no body. */
  content?: { type: string; schema?: TSchema }
}

const JSON_TYPE = 'application/json'

/** An object with these properties, and maybe others. */
export const object = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties)

/** An object with these properties and no others: an answer holds nothing that is not described. */
export const shape = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false })

export const text = () => Type.String()
export const flag = () => Type.Boolean()
export const number = () => Type.Number()
export const count = () => Type.Integer({ minimum: 0 })
/** ISO 8601 in UTC. */
export const time = () => Type.String({ format: 'date-time' })
/** A day in UTC. */
export const day = () => Type.String({ format: 'date' })
export const nullable = <Schema extends TSchema>(schema: Schema) => either(schema, Type.Null())
export const list = <Schema extends TSchema>(items: Schema, options: { minItems?: number } = {}) =>
  Type.Array(items, options)
export const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)
export const either = <Schemas extends TSchema[]>(...schemas: [...Schemas]) => Type.Union(schemas)
export const only = <Value extends string | boolean>(value: Value) => Type.Literal(value)
export const oneOf = <Values extends string[]>(values: readonly [...Values]) => Type.Enum(values)
export const anything = <Value = unknown>(): TUnsafe<Value> => Type.Unsafe<Value>({})
/** By names that are not known beforehand. */
export const record = <Schema extends TSchema = TUnsafe<unknown>>(schema?: Schema) =>
  Type.Unsafe<Record<string, Static<Schema>>>({
    type: 'object',
    additionalProperties: schema ?? {},
  })

/** `{ data }`: one thing. */
export const one = (schema: TSchema, status = 200): Answer => json(shape({ data: schema }), status)

export const listMeta = shape({
  total: count(),
  page: count(),
  limit: count(),
  totalPages: count(),
})

/** `{ data, meta }`: a page of a list. */
export const page = (schema: TSchema): Answer => json(shape({ data: list(schema), meta: listMeta }))

/** JSON without the API's envelope. */
export const json = (schema: TSchema, status = 200): Answer => ({
  status,
  content: { type: JSON_TYPE, schema },
})

export const nothing: Answer = { status: 204 }

/** Server-sent events: `docs/api.md` describes their names and data. */
export const events: Answer = { status: 200, content: { type: 'text/event-stream' } }

/** Whether an answer may stay open for long. */
export const staysOpen = (answers: Answer[] = []) => answers.includes(events)

export const file = (type: string): Answer => ({ status: 200, content: { type } })
